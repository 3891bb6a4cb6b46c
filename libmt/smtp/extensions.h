/* extensions.h - what the answer to EHLO offers (RFC 5321 4.1.1.1) */
#ifndef MT_SMTP_EXTENSIONS_H
#define MT_SMTP_EXTENSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct mt_smtp_extensions {
	bool is_esmtp;		/* the server took EHLO */
	bool has_pipelining;
	bool has_size;
	bool has_8bitmime;
	bool has_smtputf8;
	bool has_chunking;
	bool has_enhanced;
	bool has_starttls;
	bool has_dsn;
	uint64_t size_max;	/* of SIZE; 0: no limit is known */
};

/*
 * Read the text of the reply to EHLO (struct mt_smtp_reply): the first line is the
 * server's name, then a keyword each. Unknown ones are passed over.
 */
void mt_smtp_extensions_parse(struct mt_slice text, struct mt_smtp_extensions *out);
/*
 * Find the last answer to EHLO among the lines that mt_conn_preamble() gives: the last
 * reply with 250. Nothing is offered when it is a single line, as for HELO.
 */
void mt_smtp_extensions_of_preamble(struct mt_slice lines,
    struct mt_smtp_extensions *out);

#endif
