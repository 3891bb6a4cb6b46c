/* seven.c - a message without 8-bit bytes, by GMime */
#include "message/seven.h"

#include <errno.h>
#include <gmime/gmime.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/proc.h"
#include "message/prescan.h"

/* What makes lines change on their way. */
struct look {
	bool has_8bit, has_blank_end, has_from;
	size_t line;		/* bytes of it so far */
	bool is_from;		/* those are the beginning of "From " */
	char last;
};

static void
look_at(struct look *l, char c)
{
	static const char from[] = "From ";

	l->has_8bit |= (unsigned char)c >= 0x80;
	if (c == '\r')
		return;
	if (c == '\n') {
		l->has_blank_end |= l->last == ' ' || l->last == '\t';
		l->line = 0;
	} else {
		l->is_from = (l->line == 0 || l->is_from) && l->line < 5 && c == from[l->line];
		l->has_from |= l->is_from && l->line == 4;
		l->line++;
	}
	l->last = c;
}

static struct look
look_through(GMimeStream *stream)
{
	struct look l = { .last = '\n' };
	char piece[16384];
	ssize_t n;

	g_mime_stream_reset(stream);
	while ((n = g_mime_stream_read(stream, piece, sizeof(piece))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			look_at(&l, piece[i]);
	}
	l.has_blank_end |= l.last == ' ' || l.last == '\t';
	return l;
}

static bool
is_bad(const struct look *l, bool firm)
{
	return l->has_8bit || (firm && (l->has_blank_end || l->has_from));
}

/*
 * What stands in for an attached message with such bytes: it may have no encoding (RFC 2046
 * 5.2.1), and is to arrive byte for byte. So it travels as mere bytes, as in build.h.
 * NULL: it has none.
 */
static GMimePart *
as_bytes(GMimeObject *o, bool firm)
{
	GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
	const char *name =
	    g_mime_object_get_content_disposition_parameter(o, "filename");
	GMimePart *part = NULL;
	GMimeDataWrapper *content;
	GMimeStream *stream;
	struct look l;
	int fd = inner != NULL ? mt_file_temp(NULL) : -1;

	if (fd < 0)
		return NULL;
	stream = g_mime_stream_fs_new(fd);
	if (g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, stream) >= 0 &&
	    (l = look_through(stream), is_bad(&l, firm))) {
		part = g_mime_part_new_with_type("application", "octet-stream");
		content = g_mime_data_wrapper_new_with_stream(stream,
		    GMIME_CONTENT_ENCODING_DEFAULT);
		g_mime_part_set_content(part, content);
		g_object_unref(content);
		g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
		g_mime_part_set_filename(part, name != NULL ? name : "message.eml");
	}
	g_object_unref(stream);
	return part;
}

static void encode(GMimeObject *o, bool firm, unsigned depth);

static void
encode_parts(GMimeMultipart *multipart, bool firm, unsigned depth)
{
	for (int i = 0; i < g_mime_multipart_get_count(multipart); i++) {
		GMimeObject *part = g_mime_multipart_get_part(multipart, i);
		GMimePart *bytes = GMIME_IS_MESSAGE_PART(part) ? as_bytes(part, firm) :
		    NULL;

		if (bytes == NULL) {
			encode(part, firm, depth);
			continue;
		}
		g_object_unref(g_mime_multipart_replace(multipart, i, GMIME_OBJECT(bytes)));
		g_object_unref(bytes);
	}
}

/* "From " is no more than a letter to quoted-printable. */
static GMimeContentEncoding
firm_encoding(GMimePart *part, GMimeContentEncoding best)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream = content != NULL ? g_mime_data_wrapper_get_stream(content) : NULL;
	struct look l;

	if (stream == NULL)
		return best;
	l = look_through(stream);
	if (l.has_from)
		return GMIME_CONTENT_ENCODING_BASE64;
	if (l.has_blank_end && best != GMIME_CONTENT_ENCODING_BASE64)
		return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
	return best;
}

static void
encode_part(GMimePart *part, bool firm)
{
	GMimeContentEncoding best = g_mime_part_get_content_encoding(part);

	switch (best) {
	case GMIME_CONTENT_ENCODING_7BIT:
		if (!firm)
			return;
		break;
	case GMIME_CONTENT_ENCODING_8BIT:
	case GMIME_CONTENT_ENCODING_BINARY:
	case GMIME_CONTENT_ENCODING_DEFAULT:
		best = g_mime_part_get_best_content_encoding(part,
		    GMIME_ENCODING_CONSTRAINT_7BIT);
		break;
	default:
		return;
	}
	if (firm)
		best = firm_encoding(part, best);
	if (best != GMIME_CONTENT_ENCODING_DEFAULT && best != GMIME_CONTENT_ENCODING_7BIT)
		g_mime_part_set_content_encoding(part, best);
}

/* GMime's own walk stops at a message within. */
static void
encode(GMimeObject *o, bool firm, unsigned depth)
{
	if (depth > MT_MAX_MIME_DEPTH)
		return;
	if (GMIME_IS_MESSAGE(o))
		encode(g_mime_message_get_mime_part(GMIME_MESSAGE(o)), firm, depth + 1);
	else if (GMIME_IS_MESSAGE_PART(o)) {
		g_mime_object_remove_header(o, "Content-Transfer-Encoding");
		encode(GMIME_OBJECT(g_mime_message_part_get_message(GMIME_MESSAGE_PART(o))), firm,
		    depth + 1);
	} else if (firm && GMIME_IS_MULTIPART_SIGNED(o)) {
		/* Somebody else's signature, of these bytes. */
		return;
	} else if (GMIME_IS_MULTIPART(o)) {
		g_mime_object_remove_header(o, "Content-Transfer-Encoding");
		encode_parts(GMIME_MULTIPART(o), firm, depth + 1);
	} else if (GMIME_IS_PART(o))
		encode_part(GMIME_PART(o), firm);
}

struct job {
	int from, to;
	bool firm;
};

static int
write_to(GMimeMessage *message, const struct job *job, struct mt_err *err)
{
	/* The stream closes what it has. */
	GMimeStream *out = g_mime_stream_fs_new(dup(job->to));
	ssize_t n;
	int rc;

	encode(GMIME_OBJECT(message), job->firm, 0);
	n = g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, out);
	rc = n >= 0 ? g_mime_stream_flush(out) : -1;
	g_object_unref(out);
	if (rc < 0)
		return mt_fail(err, mt_err_kind_of_errno(errno), "temporary file: write: %m");
	return 0;
}

static int
convert(const struct job *job, struct mt_err *err)
{
	GMimeStream *in;
	GMimeParser *parser;
	GMimeMessage *message;
	int rc = -1;

	g_mime_init();
	in = g_mime_stream_fs_new_with_bounds(dup(job->from), 0, -1);
	parser = g_mime_parser_new_with_stream(in);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message == NULL)
		mt_fail(err, MT_EDATA, "it is no message that can be converted to 7 bits");
	else
		rc = write_to(message, job, err);
	g_clear_object(&message);
	g_object_unref(parser);
	g_object_unref(in);
	return rc;
}

static int
child(void *arg, int out_fd)
{
	struct mt_err err = { 0 };

	(void)out_fd;
	return convert(arg, &err) < 0 ? mt_err_exit(err.kind) : 0;
}

static int
convert_safely(int fd, bool firm, struct mt_err *err)
{
	mt_auto_fd int to = mt_file_temp(err);
	struct job job = { fd, to, firm };
	enum mt_prescan found;
	int status;

	if (to < 0 || mt_prescan_fd(fd, &found, err) < 0)
		return -1;
	if (found == MT_PRESCAN_PLAIN)
		return convert(&job, err) < 0 ? -1 : mt_steal_fd(&to);
	/* A message of ours may have one in it that somebody made to kill who reads it. */
	status = mt_proc_fork(child, &job, &mt_prescan_leash, NULL, err);
	if (status < 0)
		return mt_fail_in(err, "the message has %s", mt_prescan_word(found));
	if (status != 0)
		return mt_fail(err, status == mt_err_exit(MT_ETEMP) ? MT_ETEMP : MT_EDATA,
		    "the message has %s and cannot be converted to 7 bits",
		    mt_prescan_word(found));
	return mt_steal_fd(&to);
}

int
mt_seven_write(int fd, struct mt_err *err)
{
	return convert_safely(fd, false, err);
}

int
mt_seven_write_firm(int fd, struct mt_err *err)
{
	return convert_safely(fd, true, err);
}
