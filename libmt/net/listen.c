/* listen.c - sockets that wait for connections, and who is at the other end */
#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/slice.h"

/* Connections that the kernel holds for us while we are busy; it caps at somaxconn. */
#define BACKLOG 511

static int
parse_unix(const char *path, struct mt_listen_addr *out, struct mt_err *err)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->sa;

	if (path[0] != '/')
		return mt_fail(err, MT_ECONF, "\"unix:%s\": the path must be absolute", path);
	if (strlen(path) >= sizeof(un->sun_path))
		return mt_fail(err, MT_ECONF, "\"unix:%s\": longer than %zu bytes", path,
		    sizeof(un->sun_path) - 1);
	un->sun_family = AF_UNIX;
	g_strlcpy(un->sun_path, path, sizeof(un->sun_path));
	out->sa_len = sizeof(*un);
	out->is_unix = true;
	return 0;
}

static bool
parse_host(const char *host, bool in_brackets, in_port_t port, struct mt_listen_addr *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->sa;

	if (in_brackets) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		out->sa_len = sizeof(*in6);
		return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
	}
	in->sin_family = AF_INET;
	in->sin_port = port;
	out->sa_len = sizeof(*in);
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

int
mt_listen_parse(const char *text, struct mt_listen_addr *out, struct mt_err *err)
{
	struct mt_slice s = mt_slice_str(text), host, port;
	const char *colon = strrchr(text, ':');
	bool in_brackets;
	uint64_t number;
	g_autofree char *name = NULL;

	*out = (struct mt_listen_addr){ 0 };
	if (mt_slice_take(&s, MT_SLICE("unix:")))
		return parse_unix(s.p, out, err);
	if (colon == NULL)
		return mt_fail(err, MT_ECONF,
		    "\"%s\": no port; write address:port or unix:/path", text);
	host = mt_slice_first(s, (size_t)(colon - text));
	port = mt_slice_str(colon + 1);
	if (!mt_slice_take_u64(&port, 65535, &number) || port.n != 0)
		return mt_fail(err, MT_ECONF, "\"%s\": bad port", text);
	in_brackets = mt_slice_take_char(&host, '[') &&
	    mt_slice_ends(host, MT_SLICE("]"));
	if (in_brackets)
		host.n--;
	name = mt_slice_dup(host);
	if (!parse_host(name, in_brackets, htons((uint16_t)number), out))
		return mt_fail(err, MT_ECONF,
		    "\"%s\": not an address; write 192.0.2.1:25 or [2001:db8::1]:25", text);
	return 0;
}

/* Remove what a dead process left, and nothing else. */
static int
clear_unix(const struct mt_listen_addr *addr, struct mt_err *err)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&addr->sa;
	mt_auto_fd int fd = -1;
	struct stat st;

	if (lstat(un->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : mt_fail(err, mt_err_kind_of_errno(errno),
		    "%s: %m", un->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return mt_fail(err, MT_ECONF, "%s: exists and is no socket", un->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0)
		return mt_fail(err, MT_ETEMP, "%s: somebody else listens there",
		    un->sun_path);
	if (fd < 0 || errno != ECONNREFUSED || unlink(un->sun_path) < 0)
		return mt_fail(err, MT_ETEMP, "%s: %m", un->sun_path);
	return 0;
}

int
mt_listen_open(const struct mt_listen_addr *addr, struct mt_err *err)
{
	const struct sockaddr *sa = (const struct sockaddr *)&addr->sa;
	mt_auto_fd int fd = -1;
	int one = 1;

	if (addr->is_unix && clear_unix(addr, err) < 0)
		return -1;
	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return mt_fail(err, MT_ETEMP, "socket: %m");
	if (!addr->is_unix)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sa->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, sa, addr->sa_len) < 0)
		return mt_fail(err, errno == EACCES ? MT_EPERM : MT_ETEMP, "bind: %m");
	if (addr->is_unix && chmod(((const struct sockaddr_un *)sa)->sun_path, 0660) < 0)
		return mt_fail(err, MT_EPERM, "chmod: %m");
	if (listen(fd, BACKLOG) < 0)
		return mt_fail(err, MT_ETEMP, "listen: %m");
	return mt_steal_fd(&fd);
}

void
mt_listen_peer(const struct sockaddr *sa, char out[MT_LISTEN_NAME_SIZE])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	g_strlcpy(out, "unix", MT_LISTEN_NAME_SIZE);
	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, out, MT_LISTEN_NAME_SIZE);
	else if (sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, out, MT_LISTEN_NAME_SIZE);
}

void
mt_listen_name(int fd, char out[MT_LISTEN_NAME_SIZE])
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	char host[MT_LISTEN_NAME_SIZE];

	getsockname(fd, (struct sockaddr *)&sa, &len);
	mt_listen_peer((const struct sockaddr *)&sa, host);
	if (sa.ss_family == AF_INET)
		g_snprintf(out, MT_LISTEN_NAME_SIZE, "%s:%u", host,
		    ntohs(((const struct sockaddr_in *)&sa)->sin_port));
	else if (sa.ss_family == AF_INET6)
		g_snprintf(out, MT_LISTEN_NAME_SIZE, "[%s]:%u", host,
		    ntohs(((const struct sockaddr_in6 *)&sa)->sin6_port));
	else
		g_snprintf(out, MT_LISTEN_NAME_SIZE, "unix:%s",
		    ((const struct sockaddr_un *)&sa)->sun_path);
}

void
mt_listen_network(const char *peer, char out[MT_LISTEN_NAME_SIZE])
{
	struct in6_addr a;

	g_strlcpy(out, peer, MT_LISTEN_NAME_SIZE);
	if (inet_pton(AF_INET6, peer, &a) != 1)
		return;
	for (size_t i = 8; i < 16; i++)
		a.s6_addr[i] = 0;
	inet_ntop(AF_INET6, &a, out, MT_LISTEN_NAME_SIZE);
}
