/* seven.c - a message without 8-bit bytes, by GMime */
#include "message/seven.h"

#include <gmime/gmime.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

/* GMime's own walk stops at a message within. */
static void
encode(GMimeObject *o, unsigned depth)
{
	GMimeContentEncoding best;

	if (depth > MT_MAX_MIME_DEPTH)
		return;
	if (GMIME_IS_MESSAGE(o))
		encode(g_mime_message_get_mime_part(GMIME_MESSAGE(o)), depth + 1);
	else if (GMIME_IS_MESSAGE_PART(o)) {
		g_mime_object_remove_header(o, "Content-Transfer-Encoding");
		encode(GMIME_OBJECT(g_mime_message_part_get_message(GMIME_MESSAGE_PART(o))),
		    depth + 1);
	} else if (GMIME_IS_MULTIPART(o)) {
		g_mime_object_remove_header(o, "Content-Transfer-Encoding");
		for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(o)); i++)
			encode(g_mime_multipart_get_part(GMIME_MULTIPART(o), i), depth + 1);
	} else if (GMIME_IS_PART(o)) {
		switch (g_mime_part_get_content_encoding(GMIME_PART(o))) {
		case GMIME_CONTENT_ENCODING_8BIT:
		case GMIME_CONTENT_ENCODING_BINARY:
		case GMIME_CONTENT_ENCODING_DEFAULT:
			best = g_mime_part_get_best_content_encoding(GMIME_PART(o),
			    GMIME_ENCODING_CONSTRAINT_7BIT);
			if (best != GMIME_CONTENT_ENCODING_DEFAULT &&
			    best != GMIME_CONTENT_ENCODING_7BIT)
				g_mime_part_set_content_encoding(GMIME_PART(o), best);
			break;
		default:
			break;
		}
	}
}

static int
write_to(GMimeMessage *message, int fd, struct mt_err *err)
{
	/* The stream closes what it has. */
	GMimeStream *out = g_mime_stream_fs_new(dup(fd));
	ssize_t n;
	int rc;

	encode(GMIME_OBJECT(message), 0);
	n = g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, out);
	rc = n >= 0 ? g_mime_stream_flush(out) : -1;
	g_object_unref(out);
	if (rc < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "temporary file: write: %m");
	return 0;
}

int
mt_seven_write(int fd, struct mt_err *err)
{
	mt_auto_fd int to = mt_file_temp(err);
	GMimeStream *in;
	GMimeParser *parser;
	GMimeMessage *message;
	int rc = -1;

	if (to < 0)
		return -1;
	g_mime_init();
	in = g_mime_stream_fs_new_with_bounds(dup(fd), 0, -1);
	parser = g_mime_parser_new_with_stream(in);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message == NULL)
		mt_fail(err, MT_EDATA, "it is no message that can be converted to 7 bits");
	else
		rc = write_to(message, to, err);
	g_clear_object(&message);
	g_object_unref(parser);
	g_object_unref(in);
	return rc < 0 ? -1 : mt_steal_fd(&to);
}
