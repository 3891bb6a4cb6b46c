/* listen.h - sockets that wait for connections, and who is at the other end */
#ifndef MT_NET_LISTEN_H
#define MT_NET_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

/* Where to listen: "192.0.2.1:25", "[2001:db8::1]:25", "localhost:2525", port 0 for any
   free one, or "unix:/path". Names are not looked up. */
struct mt_listen_addr {
	struct sockaddr_storage sa;
	socklen_t sa_len;
	bool is_unix;
};

/* MT_ECONF says what is wrong with it. */
int mt_listen_parse(const char *text, struct mt_listen_addr *out, struct mt_err *err);

/*
 * Bind and listen: a non-blocking, close-on-exec descriptor, or -1. An IPv6 address means IPv6
 * only. A Unix socket gets the mode 0660; one that a dead process left behind is
 * replaced, one that somebody listens on is MT_ETEMP, and no other kind of file is touched.
 */
int mt_listen_open(const struct mt_listen_addr *addr, struct mt_err *err);

#define MT_LISTEN_NAME_SIZE 128
/* What a listening descriptor is bound to: "127.0.0.1:2525", "unix:/path". */
void mt_listen_name(int fd, char out[MT_LISTEN_NAME_SIZE]);
/* A peer's address without its port: "192.0.2.1", "2001:db8::1", "unix". */
void mt_listen_peer(const struct sockaddr *sa, char out[MT_LISTEN_NAME_SIZE]);
/*
 * Whom a limit counts: the address, or for IPv6 its /64, since one customer has that many.
 */
void mt_listen_network(const char *peer, char out[MT_LISTEN_NAME_SIZE]);

#endif
