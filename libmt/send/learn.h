/* learn.h - what a server's reply to a message says of its Message-ID */
#ifndef MT_SEND_LEARN_H
#define MT_SEND_LEARN_H

/*
 * Some servers give a message another Message-ID, by which all who got it answer to it. The
 * reply to the end of the message names it:
 *
 *	Amazon SES		250 Ok 0102018f...-000000
 *				which is <0102018f...-000000@REGION.amazonses.com>, in
 *				us-east-1 <...@email.amazonses.com>
 *	Exchange		250 2.6.0 <id> [InternalId=...] ...
 *	Exchange Online		250 2.0.0 OK <id> [Hostname=...]
 *
 * Nothing is guessed from the words of others, which may name anything in brackets. host
 * is the server's name, ours the id that the message had ("<...>"). NULL when it is the
 * same, or not said; g_free.
 */
char *mt_learn_message_id(const char *reply, const char *host, const char *ours);

#endif
