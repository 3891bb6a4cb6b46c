/* namespace.c - tables of what servers say of namespaces, and whose a mailbox is then */
#include "imap/namespace.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "tap.h"

/* A session with a server that offers this, and has enabled it. */
static struct mt_imap *
session(const char *caps)
{
	g_autofree char *said = g_strdup_printf("* CAPABILITY %s\r\n* ENABLED %s\r\nM1 OK\r\n",
	    caps, caps);
	struct mt_err err = { 0 };
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0 ||
	    write(fd[1], said, strlen(said)) < 0)
		abort();
	return mt_imap_new(mt_conn_new(fd[0]), "test", &err);
}

static GArray *
parse(const struct mt_imap *s, const char *text)
{
	size_t n = strlen(text);
	g_autofree char *copy = tap_exact(text, n);

	return mt_imap_namespaces_parse(s, mt_slice_mem(copy, n));
}

static const struct {
	const char *name, *text;
	size_t n;		/* how many there are */
	const char *mailbox;
	enum mt_imap_owner owner;
} good[] = {
	/* RFC 2342 5. */
	{ "one", "((\"\" \"/\")) NIL NIL", 1, "a/b", MT_IMAP_PERSONAL },
	{ "none", "NIL NIL NIL", 0, "a", MT_IMAP_PERSONAL },
	{ "shared", "((\"\" \"/\")) NIL ((\"Public Folders/\" \"/\"))", 2, "Public Folders/x",
		MT_IMAP_SHARED },
	{ "others", "((\"\" \"/\")) ((\"~\" \"/\")) ((\"#shared/\" \"/\"))", 3, "~mark/Trash",
		MT_IMAP_OTHERS },
	{ "extensions", "((\"\" \"/\")(\"#mh/\" \"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\"))) NIL NIL",
		2, "#mh/x", MT_IMAP_PERSONAL },
	{ "no hierarchy", "((\"\" NIL)) NIL NIL", 1, "x", MT_IMAP_PERSONAL },
	{ "many", "((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\") (\"shared.\" \".\"))", 3,
		"shared.x", MT_IMAP_SHARED },
	{ "the longest counts", "((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\"))", 3,
		"INBOX.x", MT_IMAP_PERSONAL },
	{ "and of others", "((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\"))", 3,
		"user.x", MT_IMAP_OTHERS },
	{ "the rest is shared", "((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\"))", 3,
		"News", MT_IMAP_SHARED },
	{ "INBOX is one's own", "((\"x.\" \".\")) NIL ((\"\" \".\"))", 2, "INBOX",
		MT_IMAP_PERSONAL },
	{ "the root of one", "((\"\" \"/\")) ((\"Other/\" \"/\")) NIL", 2, "Other",
		MT_IMAP_OTHERS },
	{ "is no prefix of a word", "((\"\" \"/\")) ((\"Other/\" \"/\")) NIL", 2, "Others",
		MT_IMAP_PERSONAL },
	{ "in UTF-7", "((\"\" \"/\")) ((\"&APw-ber/\" \"/\")) NIL", 2, "über/x", MT_IMAP_OTHERS },
	{ "as a literal", "((\"\" \"/\")) (({2}\r\n~( \"/\")) NIL", 2, "~(x", MT_IMAP_OTHERS },
};

static const struct {
	const char *name, *text;
} bad[] = {
	{ "nothing", "" },
	{ "two", "NIL NIL" },
	{ "four", "NIL NIL NIL NIL" },
	{ "an atom", "NIL x NIL" },
	{ "no list in the list", "(\"\" \"/\") NIL NIL" },
	{ "no delimiter", "((\"\")) NIL NIL" },
	{ "no prefix", "((NIL \"/\")) NIL NIL" },
	{ "a list for a prefix", "(((\"\") \"/\")) NIL NIL" },
	{ "no UTF-7", "((\"&x\" \"/\")) NIL NIL" },
	{ "without an end", "((\"\" \"/\")" },
};

int
main(void)
{
	mt_auto(mt_imap) s = session("IMAP4rev1");
	mt_auto(mt_imap) utf8 = session("IMAP4rev1 UTF8=ACCEPT");
	g_autoptr(GString) many = g_string_new("(");
	g_autoptr(GArray) list = NULL, none = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GArray) spaces = parse(s, good[i].text);

		if (!ok(spaces != NULL, "%s: parses", good[i].name))
			continue;
		is_int(spaces->len, good[i].n, "%s: so many", good[i].name);
		is_int(mt_imap_namespaces_owner(spaces, good[i].mailbox), good[i].owner,
		    "%s: whose %s is", good[i].name, good[i].mailbox);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GArray) spaces = parse(s, bad[i].text);

		ok(spaces == NULL, "%s: is refused", bad[i].name);
	}
	list = parse(utf8, "((\"\" \"/\")) ((\"über &/\" \"/\")) NIL");
	is_int(mt_imap_namespaces_owner(list, "über &/x"), MT_IMAP_OTHERS, "in UTF-8");
	is_int(mt_imap_namespaces_owner(NULL, "x"), MT_IMAP_PERSONAL, "without any, all is one's "
	    "own");
	for (size_t i = 0; i <= MT_MAX_IMAP_NAMESPACES; i++)
		g_string_append(many, "(\"\" NIL)");
	g_string_append(many, ") NIL NIL");
	none = parse(s, many->str);
	ok(none == NULL, "too many are refused");
	return tap_done();
}
