/* mime.c - walk the parts of a message (RFC 2045, RFC 2046), over GMime */
#include "message/mime.h"

#include <errno.h>
#include <gmime/gmime.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/charset.h"

/* A part, and what keeps its strings. */
struct node {
	struct mt_mime_part part;
	GMimeObject *object;	/* borrowed from the message */
	char *type, *charset, *disposition, *filename;
};

struct mt_mime {
	GMimeMessage *message;
	GArray *nodes;		/* struct node */
	bool cut;
};

/* What GMime sees no header in is all body: that is what a reader wants to see of it. */
static GMimeMessage *
all_body(GMimeStream *stream)
{
	GMimeMessage *message = g_mime_message_new(FALSE);
	GMimePart *part = g_mime_part_new_with_type("text", "plain");
	GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(stream,
	    GMIME_CONTENT_ENCODING_DEFAULT);

	g_mime_part_set_content(part, content);
	g_mime_message_set_mime_part(message, GMIME_OBJECT(part));
	g_object_unref(content);
	g_object_unref(part);
	return message;
}

static GMimeMessage *
parse(int fd, struct mt_err *err)
{
	int copy = dup(fd);
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *message;

	if (copy < 0)
		return mt_fail_null(err, MT_ETEMP, "dup: %m");
	g_mime_init();
	if (lseek(copy, 0, SEEK_SET) < 0) {
		close(copy);
		return mt_fail_null(err, MT_EIO, "seek: %m");
	}
	stream = g_mime_stream_fs_new(copy);
	parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, TRUE);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	if (message == NULL)
		message = all_body(stream);
	g_object_unref(stream);
	return message;
}

/* A copy that can be shown: UTF-8, one line. */
static char *
printable(const char *s)
{
	struct mt_buf out = MT_BUF_INIT(MT_MAX_FIELD);

	if (s == NULL)
		return NULL;
	mt_charset_to_utf8(mt_slice_str(s), NULL, &out);
	if (out.p == NULL)
		return g_strdup("");
	mt_charset_clean_line(out.p);
	return out.p;
}

/* What is behind the last slash or backslash; NULL when nothing is. */
static char *
last_component(char *name)
{
	const char *last = name;
	char *copy;

	if (name == NULL)
		return NULL;
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '/' || *p == '\\')
			last = p + 1;
	}
	copy = g_strstrip(g_strdup(last));
	g_free(name);
	if (copy[0] == '\0')
		g_clear_pointer(&copy, g_free);
	return copy;
}

static char *
find_filename(GMimeObject *object)
{
	const char *name = g_mime_object_get_content_disposition_parameter(object,
	    "filename");

	if (name == NULL)
		name = g_mime_object_get_content_type_parameter(object, "name");
	return last_component(printable(name));
}

static enum mt_mime_kind
kind_of(GMimeObject *object)
{
	if (GMIME_IS_MULTIPART(object))
		return MT_MIME_MULTIPART;
	if (GMIME_IS_MESSAGE_PART(object))
		return MT_MIME_MESSAGE;
	return MT_MIME_LEAF;
}

static uint64_t
encoded_size(GMimeObject *object)
{
	GMimeDataWrapper *content = GMIME_IS_PART(object) ?
	    g_mime_part_get_content(GMIME_PART(object)) : NULL;
	gint64 n = content == NULL ? 0 :
	    g_mime_stream_length(g_mime_data_wrapper_get_stream(content));

	return n < 0 ? 0 : (uint64_t)n;
}

static bool
has_parameter(GMimeContentType *type, const char *name, const char *value)
{
	const char *got = g_mime_content_type_get_parameter(type, name);

	return got != NULL && g_ascii_strcasecmp(got, value) == 0;
}

static void
add_node(struct mt_mime *m, GMimeObject *object, unsigned depth, int parent)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	GMimeContentDisposition *disposition =
	    g_mime_object_get_content_disposition(object);
	g_autofree char *mime = type == NULL ? g_strdup("text/plain") :
	    g_mime_content_type_get_mime_type(type);
	g_autofree char *lower = g_ascii_strdown(mime, -1);
	struct node n = { .object = object };

	n.type = printable(lower);
	n.charset = type == NULL ? NULL :
	    printable(g_mime_content_type_get_parameter(type, "charset"));
	n.disposition = disposition == NULL ? NULL :
	    printable(g_mime_content_disposition_get_disposition(disposition));
	if (n.disposition != NULL) {
		for (char *p = n.disposition; *p != '\0'; p++)
			*p = g_ascii_tolower(*p);
	}
	n.filename = find_filename(object);
	n.part = (struct mt_mime_part){
		.kind = kind_of(object), .depth = depth, .index = m->nodes->len,
		.parent = parent, .type = n.type, .charset = n.charset,
		.disposition = n.disposition, .filename = n.filename,
		.encoded_size = encoded_size(object),
	};
	if (type != NULL && g_str_equal(n.type, "text/plain")) {
		n.part.is_flowed = has_parameter(type, "format", "flowed");
		n.part.delsp = has_parameter(type, "delsp", "yes");
	}
	g_array_append_val(m->nodes, n);
}

/* A part that waits for its turn. */
struct waiting {
	GMimeObject *object;
	unsigned depth;
	int parent;
};

static void
push(GArray *stack, GMimeObject *object, const struct mt_mime_part *parent)
{
	struct waiting w = { object, parent->depth + 1, (int)parent->index };

	if (object != NULL)
		g_array_append_val(stack, w);
}

/* What is inside goes on the stack, the last first, so that the first is next. */
static void
push_children(GArray *stack, GMimeObject *object, const struct mt_mime_part *part)
{
	if (part->kind == MT_MIME_MULTIPART) {
		GMimeMultipart *multipart = GMIME_MULTIPART(object);

		for (int i = g_mime_multipart_get_count(multipart); i > 0; i--)
			push(stack, g_mime_multipart_get_part(multipart, i - 1), part);
	} else if (part->kind == MT_MIME_MESSAGE) {
		GMimeMessage *inner =
		    g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		if (inner != NULL)
			push(stack, g_mime_message_get_mime_part(inner), part);
	}
}

static void
walk(struct mt_mime *m)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(struct waiting));
	struct waiting w = { g_mime_message_get_mime_part(m->message), 0, -1 };

	if (w.object != NULL)
		g_array_append_val(stack, w);
	while (stack->len > 0) {
		struct mt_mime_part part;

		w = g_array_index(stack, struct waiting, stack->len - 1);
		g_array_set_size(stack, stack->len - 1);
		if (m->nodes->len >= MT_MAX_MIME_PARTS) {
			m->cut = true;
			return;
		}
		add_node(m, w.object, w.depth, w.parent);
		part = g_array_index(m->nodes, struct node, m->nodes->len - 1).part;
		if (part.kind != MT_MIME_LEAF && w.depth >= MT_MAX_MIME_DEPTH)
			m->cut = true;
		else
			push_children(stack, w.object, &part);
	}
}

struct mt_mime *
mt_mime_open(int fd, struct mt_err *err)
{
	GMimeMessage *message = parse(fd, err);
	struct mt_mime *m;

	if (message == NULL)
		return NULL;
	m = g_new0(struct mt_mime, 1);
	m->message = message;
	m->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	walk(m);
	return m;
}

void
mt_mime_free(struct mt_mime *m)
{
	if (m == NULL)
		return;
	for (guint i = 0; i < m->nodes->len; i++) {
		struct node *n = &g_array_index(m->nodes, struct node, i);

		g_free(n->type);
		g_free(n->charset);
		g_free(n->disposition);
		g_free(n->filename);
	}
	g_array_free(m->nodes, TRUE);
	g_object_unref(m->message);
	g_free(m);
}

size_t
mt_mime_count(const struct mt_mime *m)
{
	return m->nodes->len;
}

static const struct node *
node_at(const struct mt_mime *m, size_t index)
{
	g_assert(index < m->nodes->len);
	return &g_array_index(m->nodes, struct node, index);
}

const struct mt_mime_part *
mt_mime_part(const struct mt_mime *m, size_t index)
{
	return &node_at(m, index)->part;
}

bool
mt_mime_is_cut(const struct mt_mime *m)
{
	return m->cut;
}

/* A stream of the decoded bytes, or NULL when there are none. */
static GMimeStream *
open_content(GMimeObject *object)
{
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
	GMimeStream *raw, *stream;
	GMimeFilter *filter;

	if (content == NULL)
		return NULL;
	raw = g_mime_data_wrapper_get_stream(content);
	g_mime_stream_reset(raw);
	stream = g_mime_stream_filter_new(raw);
	filter = g_mime_filter_basic_new(g_mime_data_wrapper_get_encoding(content),
	    FALSE);
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(stream), filter);
	g_object_unref(filter);
	return stream;
}

/* A part or an embedded message, as it stood; by way of a file, since it may be of any
   size. */
static GMimeStream *
open_raw(GMimeObject *object, struct mt_err *err)
{
	GMimeStream *stream;
	int fd = mt_file_temp(err);

	if (fd < 0)
		return NULL;
	stream = g_mime_stream_fs_new(fd);
	if (g_mime_object_write_to_stream(object, NULL, stream) < 0) {
		g_object_unref(stream);
		return mt_fail_null(err, mt_err_kind_of_errno(errno),
		    "temporary file in %s: write: %m", g_get_tmp_dir());
	}
	g_mime_stream_reset(stream);
	return stream;
}

static bool
has_message(const struct node *n)
{
	return n->part.kind == MT_MIME_MESSAGE &&
	    g_mime_message_part_get_message(GMIME_MESSAGE_PART(n->object)) != NULL;
}

char *
mt_mime_message_field(const struct mt_mime *m, size_t index, const char *name)
{
	const struct node *n = node_at(m, index);
	GMimeMessage *inner;

	if (!has_message(n))
		return NULL;
	inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(n->object));
	return printable(g_mime_object_get_header(GMIME_OBJECT(inner), name));
}

/* Give all of a stream, and close it. */
static int
copy_stream(GMimeStream *stream, size_t index, mt_mime_writer *writer, void *arg,
    struct mt_err *err)
{
	char piece[16384];
	ssize_t got = 0;
	int rc = 0;

	while (rc == 0 && (got = g_mime_stream_read(stream, piece, sizeof(piece))) > 0)
		rc = writer(arg, piece, (size_t)got, err);
	g_object_unref(stream);
	if (got < 0)
		return mt_fail(err, MT_EIO, "part %zu: read: %m", index);
	return rc;
}

int
mt_mime_content(const struct mt_mime *m, size_t index, mt_mime_writer *writer,
    void *arg, struct mt_err *err)
{
	const struct node *n = node_at(m, index);
	GMimeStream *stream = NULL;

	if (GMIME_IS_PART(n->object)) {
		stream = open_content(n->object);
	} else if (has_message(n)) {
		stream = open_raw(GMIME_OBJECT(g_mime_message_part_get_message(
		    GMIME_MESSAGE_PART(n->object))), err);
		if (stream == NULL)
			return -1;
	}
	return stream == NULL ? 0 : copy_stream(stream, index, writer, arg, err);
}

int
mt_mime_entity(const struct mt_mime *m, size_t index, mt_mime_writer *writer,
    void *arg, struct mt_err *err)
{
	GMimeStream *stream = open_raw(node_at(m, index)->object, err);

	return stream == NULL ? -1 : copy_stream(stream, index, writer, arg, err);
}

static int
count_bytes(void *arg, const void *p, size_t n, struct mt_err *err)
{
	(void)p;
	(void)err;
	*(uint64_t *)arg += n;
	return 0;
}

int
mt_mime_size(const struct mt_mime *m, size_t index, uint64_t *size, struct mt_err *err)
{
	*size = 0;
	return mt_mime_content(m, index, count_bytes, size, err);
}

static int
append_bytes(void *arg, const void *p, size_t n, struct mt_err *err)
{
	struct mt_buf *out = arg;
	size_t room = out->max - out->n;

	if (n <= room)
		return mt_buf_append(out, p, n);
	mt_buf_append(out, p, room);
	return mt_fail(err, MT_EDATA, "longer than %zu bytes", out->max);
}

int
mt_mime_bytes(const struct mt_mime *m, size_t index, struct mt_buf *out,
    struct mt_err *err)
{
	return mt_mime_content(m, index, append_bytes, out, err);
}

int
mt_mime_text(const struct mt_mime *m, size_t index, struct mt_buf *out, bool *cut,
    struct mt_err *err)
{
	mt_auto_value(mt_buf) raw = MT_BUF_INIT(out->max);
	mt_auto_value(mt_buf) utf8 = MT_BUF_INIT(out->max - out->n);
	struct mt_err why = { 0 };

	*cut = false;
	if (mt_mime_bytes(m, index, &raw, &why) < 0) {
		if (why.kind != MT_EDATA) {
			return mt_fail(err, why.kind, "%s", why.msg);
		}
		*cut = true;
	}
	if (!mt_charset_to_utf8(mt_buf_slice(&raw), mt_mime_part(m, index)->charset,
	    &utf8))
		*cut = true;
	mt_charset_clean_text(&utf8);
	return mt_buf_append_slice(out, mt_buf_slice(&utf8));
}
