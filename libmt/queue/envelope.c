/* envelope.c - the envelope of a queued message as one line of JSON */
#include "queue/envelope.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"

#define VERSION 1

static const char *const fates[] = { "waiting", "sent", "failed", "told" };

static void
rcpt_free(void *p)
{
	struct mt_queue_rcpt *r = p;

	g_free(r->address);
	g_free(r->text);
	g_free(r->orcpt);
	g_free(r);
}

struct mt_envelope *
mt_envelope_new(const char *route, const char *from, int64_t now)
{
	struct mt_envelope *e = g_new0(struct mt_envelope, 1);

	e->route = g_strdup(route);
	e->from = g_strdup(from);
	e->created = now;
	e->next = now;
	e->rcpts = g_ptr_array_new_with_free_func(rcpt_free);
	return e;
}

void
mt_envelope_free(struct mt_envelope *e)
{
	if (e == NULL)
		return;
	g_free(e->route);
	g_free(e->from);
	g_free(e->message_id);
	g_free(e->envid);
	g_free(e->copy_to);
	g_free(e->copy_fields);
	g_ptr_array_unref(e->rcpts);
	g_free(e);
}

struct mt_queue_rcpt *
mt_envelope_add(struct mt_envelope *e, const char *address)
{
	struct mt_queue_rcpt *r = g_new0(struct mt_queue_rcpt, 1);

	r->address = g_strdup(address);
	g_ptr_array_add(e->rcpts, r);
	return r;
}

size_t
mt_envelope_count(const struct mt_envelope *e, enum mt_queue_fate fate)
{
	size_t n = 0;

	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		n += r->fate == fate;
	}
	return n;
}

unsigned
mt_envelope_notify(const struct mt_envelope *e, const struct mt_queue_rcpt *r)
{
	return r->notify != 0 ? r->notify : e->notify;
}

bool
mt_envelope_has_relayed(const struct mt_envelope *e)
{
	for (guint i = 0; i < e->rcpts->len; i++) {
		const struct mt_queue_rcpt *r = e->rcpts->pdata[i];

		if (r->is_relayed)
			return true;
	}
	return false;
}

/* What is seldom said is left out where it is not. */
static json_t *
write_rcpt(const struct mt_queue_rcpt *r)
{
	g_autofree char *notify = r->notify != 0 ? mt_dsn_notify_text(r->notify) : NULL;

	return json_pack("{s:s, s:s, s:b, s:s, s:o, s:s*, s:s*, s:o*}", "to", r->address,
	    "fate", fates[r->fate], "unknown", r->is_unknown, "dsn", r->dsn, "text",
	    mt_json_text(r->text), "notify", notify, "orcpt", r->orcpt, "relayed",
	    r->is_relayed ? json_true() : NULL);
}

static const char *const rets[] = { NULL, "full", "hdrs" };

/* Only where something is said: most messages say nothing. */
static int
write_dsn(const struct mt_envelope *e, json_t *o)
{
	g_autofree char *notify = mt_dsn_notify_text(e->notify);

	if (e->notify == 0 && e->ret == MT_DSN_RET_UNSAID && e->envid == NULL)
		return 0;
	return json_object_set_new(o, "dsn", json_pack("{s:s, s:s?, s:s?}", "notify", notify,
	    "ret", rets[e->ret], "envid", e->envid));
}

int
mt_envelope_write(const struct mt_envelope *e, struct mt_buf *out, struct mt_err *err)
{
	json_t *rcpts = json_array();
	json_t *o;
	char *text;
	int rc = 0;

	for (guint i = 0; i < e->rcpts->len && rc == 0; i++)
		rc = json_array_append_new(rcpts, write_rcpt(e->rcpts->pdata[i]));
	if (rc < 0) {
		json_decref(rcpts);
		return mt_fail(err, MT_EDATA, "a recipient that is no UTF-8");
	}
	o = json_pack("{s:i, s:s, s:s, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o}",
	    "version", VERSION, "route", e->route, "from", e->from, "message_id",
	    e->message_id, "copy_to", e->copy_to, "copy_fields", e->copy_fields, "created",
	    (json_int_t)e->created, "not_before", (json_int_t)e->not_before, "next",
	    (json_int_t)e->next, "told_delay", (json_int_t)e->told_delay, "tries",
	    (json_int_t)e->tries, "held", e->is_held, "ours", e->is_ours,
	    "rcpts", rcpts);
	if (o != NULL && write_dsn(e, o) < 0)
		g_clear_pointer(&o, json_decref);
	text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (text == NULL)
		return mt_fail(err, MT_EDATA, "an envelope that is no UTF-8");
	rc = mt_buf_append_str(out, text) < 0 || mt_buf_append_char(out, '\n') < 0 ? -1 : 0;
	free(text);
	if (rc < 0)
		return mt_fail(err, MT_EDATA, "an envelope of more than %zu bytes", out->max);
	return 0;
}

/* What goes into a command of SMTP or the name of a folder stays on its line. */
static bool
is_one_line(const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

static int
fate_of(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fates); i++) {
		if (g_str_equal(fates[i], word))
			return (int)i;
	}
	return -1;
}

/* A string or null: jansson unpacks either, not both. */
static int
read_text(json_t *o, const char *name, char **out, struct mt_err *err)
{
	if (!json_is_null(o) && !json_is_string(o))
		return mt_fail(err, MT_EDATA, "envelope: %s is no text", name);
	*out = g_strdup(json_string_value(o));
	return 0;
}

static int
read_rcpt(struct mt_envelope *e, json_t *o, struct mt_err *err)
{
	const char *to, *fate, *dsn, *notify = NULL, *orcpt = NULL;
	struct mt_queue_rcpt *r;
	json_error_t why;
	json_t *text;
	int unknown, relayed = 0;

	if (json_unpack_ex(o, &why, JSON_STRICT, "{s:s, s:s, s:b, s:s, s:o, s?s, s?s, s?b}",
	    "to", &to, "fate", &fate, "unknown", &unknown, "dsn", &dsn, "text", &text,
	    "notify", &notify, "orcpt", &orcpt, "relayed", &relayed) < 0)
		return mt_fail(err, MT_EDATA, "envelope: recipient: %s", why.text);
	if (to[0] == '\0' || strlen(to) > MT_MAX_PATH || !is_one_line(to))
		return mt_fail(err, MT_EDATA, "envelope: recipient \"%s\" is no address", to);
	if (fate_of(fate) < 0)
		return mt_fail(err, MT_EDATA, "envelope: no fate: \"%s\"", fate);
	if (strlen(dsn) >= sizeof(r->dsn) || !is_one_line(dsn))
		return mt_fail(err, MT_EDATA, "envelope: no status code: \"%s\"", dsn);
	r = mt_envelope_add(e, to);
	r->fate = (enum mt_queue_fate)fate_of(fate);
	r->is_unknown = unknown != 0;
	g_strlcpy(r->dsn, dsn, sizeof(r->dsn));
	if (read_text(text, "text", &r->text, err) < 0)
		return -1;
	if (!is_one_line(r->text))
		return mt_fail(err, MT_EDATA, "envelope: a control character in a reply");
	if ((notify != NULL && mt_dsn_notify_parse(notify, &r->notify, NULL) < 0) ||
	    (orcpt != NULL && !mt_dsn_is_orcpt(orcpt)))
		return mt_fail(err, MT_EDATA, "envelope: recipient: no such wish");
	r->orcpt = g_strdup(orcpt);
	r->is_relayed = relayed != 0;
	return 0;
}

static int
read_rcpts(struct mt_envelope *e, json_t *rcpts, struct mt_err *err)
{
	size_t i;
	json_t *o;

	if (!json_is_array(rcpts) || json_array_size(rcpts) == 0)
		return mt_fail(err, MT_EDATA, "envelope: no recipient");
	json_array_foreach(rcpts, i, o) {
		if (read_rcpt(e, o, err) < 0)
			return -1;
	}
	return 0;
}

static int
read_dsn(struct mt_envelope *e, json_t *o, struct mt_err *err)
{
	g_autofree char *ret = NULL;
	json_t *ret_text, *envid;
	const char *notify;
	json_error_t why;

	if (json_unpack_ex(o, &why, JSON_STRICT, "{s:s, s:o, s:o}", "notify", &notify, "ret",
	    &ret_text, "envid", &envid) < 0)
		return mt_fail(err, MT_EDATA, "envelope: dsn: %s", why.text);
	if (read_text(ret_text, "ret", &ret, err) < 0 ||
	    read_text(envid, "envid", &e->envid, err) < 0)
		return -1;
	if ((notify[0] != '\0' && mt_dsn_notify_parse(notify, &e->notify, NULL) < 0) ||
	    (ret != NULL && mt_dsn_ret_parse(ret, &e->ret, NULL) < 0) ||
	    (e->envid != NULL && !mt_dsn_is_envid(e->envid)))
		return mt_fail(err, MT_EDATA, "envelope: dsn: no such wish");
	return 0;
}

static int
read_object(struct mt_envelope *e, json_t *root, struct mt_err *err)
{
	const char *route, *from;
	json_int_t created, not_before, next, told, tries;
	int version, held, ours;
	json_error_t why;
	json_t *rcpts, *id, *copy_to, *copy_fields, *dsn = NULL;

	if (json_unpack_ex(root, &why, 0, "{s:i}", "version", &version) == 0 &&
	    version != VERSION)
		return mt_fail(err, MT_EDATA, "envelope: version %d, not %d: made by a newer mt",
		    version, VERSION);
	if (json_unpack_ex(root, &why, JSON_STRICT,
	    "{s:i, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o, s?o}",
	    "version", &version, "route", &route, "from", &from, "message_id", &id, "copy_to",
	    &copy_to, "copy_fields", &copy_fields, "created", &created, "not_before",
	    &not_before, "next", &next, "told_delay", &told, "tries", &tries, "held", &held,
	    "ours", &ours, "rcpts", &rcpts, "dsn", &dsn) < 0)
		return mt_fail(err, MT_EDATA, "envelope: %s", why.text);
	if (read_text(id, "message_id", &e->message_id, err) < 0 ||
	    read_text(copy_to, "copy_to", &e->copy_to, err) < 0 ||
	    read_text(copy_fields, "copy_fields", &e->copy_fields, err) < 0 ||
	    (dsn != NULL && read_dsn(e, dsn, err) < 0))
		return -1;
	if (!is_one_line(route) || !is_one_line(from) || strlen(from) > MT_MAX_PATH ||
	    !is_one_line(e->message_id) || !is_one_line(e->copy_to))
		return mt_fail(err, MT_EDATA, "envelope: a control character or too long");
	if (created < 0 || not_before < 0 || next < 0 || told < 0 || tries < 0)
		return mt_fail(err, MT_EDATA, "envelope: a negative number");
	e->route = g_strdup(route);
	e->from = g_strdup(from);
	e->created = created;
	e->not_before = not_before;
	e->next = next;
	e->told_delay = told;
	e->tries = (uint64_t)tries;
	e->is_held = held != 0;
	e->is_ours = ours != 0;
	return read_rcpts(e, rcpts, err);
}

struct mt_envelope *
mt_envelope_read(struct mt_slice text, struct mt_err *err)
{
	mt_auto(mt_envelope) e = g_new0(struct mt_envelope, 1);
	json_error_t why;
	json_t *root = json_loadb(text.p != NULL ? text.p : "", text.n, JSON_REJECT_DUPLICATES,
	    &why);
	int rc;

	e->rcpts = g_ptr_array_new_with_free_func(rcpt_free);
	if (root == NULL)
		return mt_fail_null(err, MT_EDATA, "envelope: byte %d: %s", why.position,
		    why.text);
	rc = read_object(e, root, err);
	json_decref(root);
	return rc < 0 ? NULL : mt_steal(&e);
}
