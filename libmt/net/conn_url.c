/* conn_url.c - take a mail server's URL apart */
#include <curl/curl.h>
#include <glib.h>

#include "net/conn.h"

/* People write user@domain@host, as it should be; libcurl wants user%40domain@host. */
static char *
escape_at(const char *url)
{
	const char *from = strstr(url, "://"), *last;
	GString *out = g_string_new(NULL);

	from = from == NULL ? url : from + 3;
	last = g_strrstr_len(from, (gssize)strcspn(from, "/?#"), "@");
	for (const char *p = url; *p != '\0'; p++) {
		if (*p == '@' && p < last)
			g_string_append(out, "%40");
		else
			g_string_append_c(out, *p);
	}
	return g_string_free(out, FALSE);
}

/* A copy that g_free() takes; NULL when the URL has no such part. */
static char *
part(CURLU *u, CURLUPart what, unsigned flags)
{
	char *got = NULL, *copy;

	if (curl_url_get(u, what, &got, flags) != CURLUE_OK)
		return NULL;
	copy = g_strdup(got);
	curl_free(got);
	return copy;
}

static int
fill(CURLU *u, struct mt_conn_url *out, struct mt_err *err)
{
	static const char *const schemes[] = { "smtp", "smtps", "pop3", "pop3s", "imap",
		"imaps", NULL };
	g_autofree char *password = part(u, CURLUPART_PASSWORD, 0);
	g_autofree char *path = part(u, CURLUPART_PATH, 0);
	g_autofree char *query = part(u, CURLUPART_QUERY, 0);
	g_autofree char *options = part(u, CURLUPART_OPTIONS, 0);
	g_autofree char *port = part(u, CURLUPART_PORT, 0);
	g_autofree char *host = part(u, CURLUPART_HOST, 0);

	out->scheme = part(u, CURLUPART_SCHEME, 0);
	if (out->scheme == NULL || !g_strv_contains(schemes, out->scheme))
		return mt_fail(err, MT_ECONF,
		    "not a mail server's URL (smtp, smtps, pop3, pop3s, imap, imaps)");
	if (password != NULL) {
		explicit_bzero(password, strlen(password));
		return mt_fail(err, MT_ECONF, "a password does not belong in a URL");
	}
	if (options != NULL)
		return mt_fail(err, MT_ECONF, "\";%s\" does not belong in a URL", options);
	if ((path != NULL && strcmp(path, "/") != 0) || query != NULL)
		return mt_fail(err, MT_ECONF, "nothing may follow the server's name");
	if (host == NULL || host[0] == '\0')
		return mt_fail(err, MT_ECONF, "a server's name is missing");
	out->host = g_ascii_strdown(host, -1);
	out->user = part(u, CURLUPART_USER, CURLU_URLDECODE);
	if (port != NULL)
		out->port = (uint16_t)g_ascii_strtoull(port, NULL, 10);
	return 0;
}

int
mt_conn_url_parse(const char *url, struct mt_conn_url *out, struct mt_err *err)
{
	g_autofree char *escaped = escape_at(url);
	CURLU *u = curl_url();
	CURLUcode code = curl_url_set(u, CURLUPART_URL, escaped, CURLU_NON_SUPPORT_SCHEME);
	int rc;

	*out = (struct mt_conn_url){ NULL };
	if (code != CURLUE_OK)
		rc = mt_fail(err, MT_ECONF, "%s", curl_url_strerror(code));
	else
		rc = fill(u, out, err);
	curl_url_cleanup(u);
	if (rc < 0) {
		/* Not the URL as it stands: it may hold a password. */
		mt_fail_in(err, "the URL of %s",
		    out->host != NULL ? out->host : "a server");
		mt_conn_url_clear(out);
	}
	return rc;
}

void
mt_conn_url_clear(struct mt_conn_url *u)
{
	g_free(u->scheme);
	g_free(u->user);
	g_free(u->host);
	*u = (struct mt_conn_url){ NULL };
}
