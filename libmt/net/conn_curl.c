/* conn_curl.c - the client's side: libcurl connects, starts TLS, logs in, hands over */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <glib.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "net/conn_io.h"
#include "net/preamble.h"

/*
 * With CURLOPT_CONNECT_ONLY libcurl does greeting, capabilities, STARTTLS and login,
 * and then curl_easy_recv() and curl_easy_send() move bytes. What to know:
 * - bytes behind the last login reply in the same packet are lost to us: a caller
 *   speaks first after the hand-over, and never waits for an unasked line;
 * - poll() does not see what OpenSSL holds: recv until CURLE_AGAIN, then poll;
 * - CURLOPT_CONNECTTIMEOUT_MS covers everything up to the hand-over, where a server may
 *   delay a refused login by 15 s on purpose;
 * - curl_easy_cleanup() sends nothing.
 */
#define CONNECT_TIMEOUT_MS 60000

/* What belongs to one handle. */
struct curl {
	CURL *easy;
	struct mt_conn *conn;
	bool preamble_full;
	bool has_proxy;
	uint16_t port;		/* 0: that of the protocol */
	char protocol;		/* first letter of the URL */
	const SSL *ssl;		/* libcurl's, while it is connected; NULL in plain text */
	char *mechanism;	/* that was asked for, or NULL */
	char *host;		/* as the certificate must name it */
	char *cert_names;	/* what it names instead, or NULL */
	char error[CURL_ERROR_SIZE];
};

static void
handle_free(struct curl *k)
{
	curl_easy_cleanup(k->easy);
	g_free(k->mechanism);
	g_free(k->host);
	g_free(k->cert_names);
	g_free(k);
}

/* The stream, once it is ours. */

static const char *
words(const struct curl *k, CURLcode code)
{
	return k->error[0] != '\0' ? k->error : curl_easy_strerror(code);
}

static ssize_t
curl_conn_recv(struct mt_conn *c, void *p, size_t n, struct mt_err *err)
{
	struct curl *k = c->state;
	size_t got = 0;
	CURLcode code;

	k->error[0] = '\0';
	code = curl_easy_recv(k->easy, p, n, &got);
	if (code == CURLE_AGAIN)
		return MT_IO_WAIT_IN;
	/* libcurl takes a cut for an end, since web servers are sloppy; OpenSSL knows. */
	if (code == CURLE_OK && got == 0 && k->ssl != NULL &&
	    (SSL_get_shutdown(k->ssl) & SSL_RECEIVED_SHUTDOWN) == 0) {
		c->truncated = true;
		return mt_fail(err, MT_ETEMP, "%s: the connection was cut off (TLS "
		    "without its close message)", k->host);
	}
	if (code == CURLE_OK)
		return (ssize_t)got;
	return mt_fail(err, MT_ETEMP, "%s: %s", k->host, words(k, code));
}

static ssize_t
curl_conn_send(struct mt_conn *c, const void *p, size_t n, struct mt_err *err)
{
	struct curl *k = c->state;
	size_t sent = 0;
	CURLcode code;

	k->error[0] = '\0';
	code = curl_easy_send(k->easy, p, n, &sent);
	if (code == CURLE_OK && sent > 0)
		return (ssize_t)sent;
	if (code == CURLE_OK || code == CURLE_AGAIN)
		return MT_IO_WAIT_OUT;
	return mt_fail(err, MT_ETEMP, "%s: %s", k->host, words(k, code));
}

static void
curl_conn_close(struct mt_conn *c)
{
	handle_free(c->state);
}

static const struct mt_conn_io curl_io = { curl_conn_recv, curl_conn_send,
	curl_conn_close };

/* What is seen during the handshake. */

/* Each header line that the server sends; a short count makes libcurl give up. */
static size_t
on_line(char *p, size_t size, size_t n, void *arg)
{
	struct curl *k = arg;
	struct mt_slice line = mt_slice_trim(mt_slice_mem(p, size * n));

	if (line.n > 0 && (mt_buf_append_slice(&k->conn->preamble, line) < 0 ||
	    mt_buf_append_char(&k->conn->preamble, '\n') < 0)) {
		k->preamble_full = true;
		return 0;
	}
	return size * n;
}

static void
add_name(GString *to, const char *name, int n)
{
	if (to->len < 400)
		g_string_append_printf(to, "%s%.*s", to->len > 0 ? ", " : "", MIN(n, 255),
		    name);
}

static void
add_asn1(GString *to, const ASN1_STRING *name)
{
	add_name(to, (const char *)ASN1_STRING_get0_data(name), ASN1_STRING_length(name));
}

static void
add_address(GString *to, const ASN1_OCTET_STRING *address)
{
	int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if ((family == AF_INET || ASN1_STRING_length(address) == 16) &&
	    inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text)) != NULL)
		add_name(to, text, (int)strlen(text));
}

/* "mail.example.org, *.example.net": the names in the server's own certificate. */
static char *
names_of(const X509 *cert)
{
	GString *out = g_string_new(NULL);
	GENERAL_NAMES *san = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at;

	for (int i = 0; i < sk_GENERAL_NAME_num(san); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(san, i);

		if (g->type == GEN_DNS)
			add_asn1(out, g->d.dNSName);
		else if (g->type == GEN_IPADD)
			add_address(out, g->d.iPAddress);
	}
	at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (out->len == 0 && at >= 0)
		add_asn1(out, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	GENERAL_NAMES_free(san);
	if (out->len == 0)
		g_string_append(out, "(no name)");
	return g_string_free(out, FALSE);
}

/* Where an SSL_CTX keeps its connection; threads dial at the same time. */
static int
slot(void)
{
	static gsize next;	/* to it; 0: there is none yet */

	if (g_once_init_enter(&next)) {
		int index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);

		g_once_init_leave(&next, (gsize)index + 1);
	}
	return (int)next - 1;
}

static struct curl *
curl_of_ssl(const SSL *ssl)
{
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot());
}

/* OpenSSL's verdict stays as it is; we only note whose certificate it was. */
static int
on_verify(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl =
	    X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct curl *k = curl_of_ssl(ssl);
	const X509 *cert = X509_STORE_CTX_get0_cert(store);

	if (cert != NULL && k->cert_names == NULL)
		k->cert_names = names_of(cert);
	return ok;
}

static void
on_info(const SSL *ssl, int where, int ret)
{
	struct curl *k = curl_of_ssl(ssl);

	(void)ret;
	if ((where & SSL_CB_HANDSHAKE_DONE) == 0)
		return;
	k->ssl = ssl;
	k->conn->tls_version = SSL_get_version(ssl);
	k->conn->tls_cipher = SSL_get_cipher_name(ssl);
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	(void)easy;
	SSL_CTX_set_ex_data(ctx, slot(), arg);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
	SSL_CTX_set_info_callback(ctx, on_info);
	return CURLE_OK;
}

/* What went wrong, in the caller's terms. */

static struct mt_slice
first_line(struct mt_slice text)
{
	struct mt_slice line = { NULL, 0 };

	mt_slice_take_line(&text, &line);
	return line;
}

static void
fail_certificate(const struct curl *k, struct mt_err *err)
{
	const char *why = k->error;
	const char *prefix = "SSL certificate problem: ";

	if (g_str_has_prefix(why, prefix))
		why += strlen(prefix);
	/* libcurl's sentence about names, when names are what is wrong, says less. */
	if (g_str_has_prefix(why, "SSL: "))
		why = "it names another host";
	mt_fail(err, MT_EUNAVAIL, "%s: the server's certificate is refused: %s "
	    "(expected %s, the certificate is for %s)", k->host, why, k->host,
	    k->cert_names != NULL ? k->cert_names : "(none seen)");
}

/* Where the password is an access token. */
static bool
is_oauth(const char *mechanism)
{
	return g_strcmp0(mechanism, "XOAUTH2") == 0 || g_strcmp0(mechanism, "OAUTHBEARER") == 0;
}

static void
fail_login(const struct curl *k, const char *user, struct mt_err *err)
{
	struct mt_slice said = mt_conn_preamble(k->conn);
	g_autofree char *reason =
	    is_oauth(k->mechanism) ? mt_preamble_token_reason(said) : NULL;
	g_autofree char *offered = mt_preamble_mechanisms(said);
	struct mt_refusal r;

	mt_preamble_refusal(said, &r);
	if (reason != NULL)
		mt_fail_dsn(err, r.kind != MT_ENONE ? r.kind : MT_EPERM, r.dsn,
		    "%s: login as %s: the access token is refused: %s%s%.*s", k->host, user,
		    reason, r.kind != MT_ENONE ? " " : "",
		    MT_SLICE_ARG(r.kind != MT_ENONE ? r.line : MT_SLICE("")));
	else if (r.kind != MT_ENONE)
		mt_fail_dsn(err, r.kind, r.dsn, "%s: login as %s refused: %.*s", k->host, user,
		    MT_SLICE_ARG(r.line));
	else if (k->mechanism != NULL)
		mt_fail(err, MT_EPERM, "%s: login as %s: the server offers no %s (it offers: %s)",
		    k->host, user, k->mechanism, offered != NULL ? offered : "none");
	else
		mt_fail(err, MT_EPERM, "%s: login as %s: the server offers no way to log "
		    "in that we know (it offers: %s)", k->host, user,
		    offered != NULL ? offered : "none");
}

/* A refusal outside the login is final for this host (5yz), or not (4yz). */
static void
fail_reply(const struct curl *k, CURLcode code, struct mt_err *err)
{
	struct mt_refusal r;

	mt_preamble_refusal(mt_conn_preamble(k->conn), &r);
	if (r.kind == MT_ENONE && r.line.n > 0)
		mt_fail(err, MT_EPROTO, "%s: the server breaks the protocol behind its words "
		    "\"%.*s\"", k->host, MT_SLICE_ARG(r.line));
	else if (r.kind == MT_ENONE)
		mt_fail(err, MT_EPROTO, "%s: %s", k->host, words(k, code));
	else
		mt_fail_dsn(err, r.kind == MT_EPERM ? MT_EUNAVAIL : r.kind, r.dsn,
		    "%s: the server says: %.*s", k->host, MT_SLICE_ARG(r.line));
}

/* What answers is not the kind of server that the URL says. */
static bool
is_stranger(const struct curl *k)
{
	struct mt_slice said = mt_conn_preamble(k->conn);
	char first = said.n > 0 ? said.p[0] : '\0';

	switch (k->protocol) {
	case 'p':
		return first != '\0' && first != '+' && first != '-';
	case 's':
		return first != '\0' && !g_ascii_isdigit(first);
	default:
		return first != '\0' && first != '*';
	}
}

/* libcurl's sentence names the host, or the proxy, and not why. */
static void
fail_connect(const struct curl *k, struct mt_err *err)
{
	g_autofree char *port = k->port != 0 ? g_strdup_printf(" to port %u", k->port) : NULL;
	long why = 0;

	curl_easy_getinfo(k->easy, CURLINFO_OS_ERRNO, &why);
	if (why != 0)
		mt_fail(err, MT_ETEMP, "%s: no connection%s: %s", k->host,
		    k->has_proxy ? " to the proxy" : port != NULL ? port : "",
		    g_strerror((int)why));
	else
		mt_fail(err, MT_ETEMP, "%s: %s", k->host, words(k, CURLE_COULDNT_CONNECT));
}

static void
fail_perform(const struct curl *k, CURLcode code, const char *user, struct mt_err *err)
{
	if (k->preamble_full || strstr(k->error, "Too large response") != NULL) {
		mt_fail(err, MT_EPROTO, "%s: the server talks without end", k->host);
		return;
	}
	if (is_stranger(k)) {
		mt_fail(err, MT_EPROTO, "%s: no server of this kind; it says: %.*s", k->host,
		    MT_SLICE_ARG(first_line(mt_conn_preamble(k->conn))));
		return;
	}
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		fail_certificate(k, err);
		break;
	case CURLE_LOGIN_DENIED:
	case CURLE_AUTH_ERROR:
		fail_login(k, user, err);
		break;
	case CURLE_USE_SSL_FAILED:
		mt_fail(err, MT_EUNAVAIL, "%s: the server offers no TLS", k->host);
		break;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		mt_fail(err, MT_ECONF, "%s: %s", k->host, words(k, code));
		break;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_REMOTE_ACCESS_DENIED:
		fail_reply(k, code, err);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		mt_fail(err, strstr(k->error, "SYSCALL") != NULL ||
		    strstr(k->error, "unexpected eof") != NULL ||
		    strstr(k->error, "reset") != NULL ? MT_ETEMP : MT_EPROTO,
		    "%s: TLS: %s", k->host, words(k, code));
		break;
	case CURLE_COULDNT_CONNECT:
		fail_connect(k, err);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		mt_fail(err, MT_ETEMP, "%s: DNS knows no address of this name, or does not "
		    "answer", k->host);
		break;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		/* Without TLS, libcurl names the errno of some call before. */
		mt_fail(err, MT_ETEMP, "%s: %s", k->host, strstr(k->error, "SSL") != NULL ?
		    words(k, code) : "the connection was lost at its beginning");
		break;
	default:
		mt_fail(err, MT_ETEMP, "%s: %s", k->host, words(k, code));
		break;
	}
}

/* The URL, put together again without what does not belong in it. */

struct target {
	struct mt_conn_url parts;
	char *url;
	char *options;		/* "AUTH=PLAIN", or NULL */
	bool has_tls;		/* from the first byte on */
	bool is_smtp;
};

static void
target_clear(struct target *t)
{
	mt_conn_url_clear(&t->parts);
	g_free(t->url);
	g_free(t->options);
}

static bool
is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	    (g_str_has_prefix(host, "127.") &&
	    strspn(host, "0123456789.") == strlen(host));
}

static int
target_init(struct target *t, const struct mt_conn_dial *d, struct mt_err *err)
{
	g_autofree char *port = NULL, *path = NULL;

	if (mt_conn_url_parse(d->url, &t->parts, err) < 0)
		return -1;
	if (d->user != NULL) {
		g_free(t->parts.user);
		t->parts.user = g_strdup(d->user);
	}
	if (t->parts.user != NULL && d->password == NULL)
		return mt_fail(err, MT_ECONF, "%s: a user to log in as, but no password",
		    t->parts.host);
	t->has_tls = g_str_has_suffix(t->parts.scheme, "s");
	t->is_smtp = g_str_has_prefix(t->parts.scheme, "smtp");
	if (d->mechanism != NULL)
		t->options = g_strconcat("AUTH=", d->mechanism, NULL);
	if (t->parts.port != 0)
		port = g_strdup_printf(":%u", t->parts.port);
	/* libcurl takes the name for EHLO from the path. */
	if (t->is_smtp && d->helo != NULL)
		path = g_uri_escape_string(d->helo, "[]:", FALSE);
	t->url = g_strdup_printf("%s://%s%s/%s", t->parts.scheme, t->parts.host,
	    port != NULL ? port : "", path != NULL ? path : "");
	return 0;
}

/* Setting up and going. */

static long
tls_wish(const struct mt_conn_dial *d, const struct target *t)
{
	if (t->has_tls)
		return CURLUSESSL_ALL;
	return d->allow_plaintext || is_loopback(t->parts.host) ? CURLUSESSL_TRY :
	    CURLUSESSL_ALL;
}

/*
 * Of SMTP's mechanisms these, since libcurl would else prefer GSSAPI for every
 * user@domain and fail without a Kerberos ticket. POP3 and IMAP are left to choose at
 * first: naming mechanisms there takes away USER and LOGIN, which are no SASL.
 */
#define PASSWORD_MECHANISMS "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5;AUTH=DIGEST-MD5"

static void
set_login(CURL *e, const struct mt_conn_dial *d, const struct target *t)
{
	if (t->parts.user == NULL)
		return;
	curl_easy_setopt(e, CURLOPT_USERNAME, t->parts.user);
	curl_easy_setopt(e, is_oauth(d->mechanism) ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD,
	    d->password);
	if (t->options != NULL)
		curl_easy_setopt(e, CURLOPT_LOGIN_OPTIONS, t->options);
	else if (t->is_smtp)
		curl_easy_setopt(e, CURLOPT_LOGIN_OPTIONS, PASSWORD_MECHANISMS);
}

static int
set_options(struct curl *k, const struct mt_conn_dial *d, const struct target *t)
{
	CURL *e = k->easy;
	uint32_t timeout_ms =
	    d->connect_timeout_ms != 0 ? d->connect_timeout_ms : CONNECT_TIMEOUT_MS;

	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, k->error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, k);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, k);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_USE_SSL, tls_wish(d, t));
	if (d->ca_file != NULL)
		curl_easy_setopt(e, CURLOPT_CAINFO, d->ca_file);
	if (d->cert_file != NULL) {
		curl_easy_setopt(e, CURLOPT_SSLCERT, d->cert_file);
		curl_easy_setopt(e, CURLOPT_SSLKEY,
		    d->key_file != NULL ? d->key_file : d->cert_file);
	}
	/* "" keeps libcurl from looking for one in the environment. */
	curl_easy_setopt(e, CURLOPT_PROXY, d->proxy != NULL ? d->proxy : "");
	curl_easy_setopt(e, CURLOPT_HTTPPROXYTUNNEL, 1L);
	set_login(e, d, t);
	return curl_easy_setopt(e, CURLOPT_URL, t->url) == CURLE_OK ? 0 : -1;
}

static struct mt_conn *
open_handle(const struct mt_conn_dial *params, const struct target *t,
    struct mt_err *err)
{
	mt_auto(mt_conn) c = mt_conn_alloc();
	struct curl *k = g_new0(struct curl, 1);

	c->io = &curl_io;
	c->state = k;
	k->conn = c;
	k->protocol = t->parts.scheme[0];
	k->host = g_strdup(t->parts.host);
	k->port = t->parts.port;
	k->has_proxy = params->proxy != NULL;
	k->mechanism = g_strdup(params->mechanism);
	k->easy = curl_easy_init();
	if (k->easy == NULL || set_options(k, params, t) < 0)
		return mt_fail_null(err, MT_ESOFTWARE, "libcurl cannot start");
	return mt_steal(&c);
}

/*
 * Whether it is worth another try with other login options, since nothing was shown to the
 * server that it could refuse: libcurl chose Kerberos for a user@domain and had no ticket,
 * or a POP3 server has no SASL for the PLAIN that was asked for, but takes USER and PASS.
 */
static bool
other_options(const struct curl *k, CURLcode code, struct target *t)
{
	struct mt_slice said = mt_conn_preamble(k->conn);
	g_autofree char *offered = mt_preamble_mechanisms(said);
	bool is_plain = g_strcmp0(k->mechanism, "PLAIN") == 0 ||
	    g_strcmp0(k->mechanism, "LOGIN") == 0;
	struct mt_refusal r;

	mt_preamble_refusal(said, &r);
	if ((code != CURLE_LOGIN_DENIED && code != CURLE_AUTH_ERROR) || r.kind != MT_ENONE)
		return false;
	if (t->options == NULL && g_strstr_len(said.p, (gssize)said.n, "GSSAPI") != NULL) {
		t->options = g_strdup(PASSWORD_MECHANISMS);
		return true;
	}
	if (t->options != NULL && is_plain && k->protocol == 'p' && offered == NULL) {
		g_clear_pointer(&t->options, g_free);
		return true;
	}
	return false;
}

struct mt_conn *
mt_conn_dial(const struct mt_conn_dial *params, struct mt_err *err)
{
	__attribute__((cleanup(target_clear))) struct target t = { .url = NULL };
	mt_auto(mt_conn) c = NULL;
	struct curl *k;
	curl_socket_t fd = CURL_SOCKET_BAD;
	CURLcode code;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return mt_fail_null(err, MT_ESOFTWARE, "libcurl cannot start");
	if (target_init(&t, params, err) < 0 || (c = open_handle(params, &t, err)) == NULL)
		return NULL;
	k = c->state;
	code = curl_easy_perform(k->easy);
	if (code != CURLE_OK && t.parts.user != NULL && other_options(k, code, &t)) {
		mt_conn_free(mt_steal(&c));
		if ((c = open_handle(params, &t, err)) == NULL)
			return NULL;
		k = c->state;
		code = curl_easy_perform(k->easy);
	}
	if (code != CURLE_OK) {
		fail_perform(k, code, t.parts.user != NULL ? t.parts.user : "nobody", err);
		return NULL;
	}
	if (curl_easy_getinfo(k->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD)
		return mt_fail_null(err, MT_ETEMP, "%s: the connection is gone", k->host);
	c->fd = fd;
	return mt_steal(&c);
}
