/* naming.c - names of snapshots: their order, a new one, and what a word stands for */
#include "backup/naming.h"

#include <string.h>
#include <time.h>

#include "base/digest.h"

/* The count in YYYYMMDDTHHMMSSZ.COUNT-XXXXXXXX; 0 when there is none. */
static uint64_t
clock_of(const char *name)
{
	size_t n = strcspn(name, ".-");

	return name[n] == '.' ? g_ascii_strtoull(name + n + 1, NULL, 10) : 0;
}

int
mt_backup_naming_compare(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	if (clock_of(x) != clock_of(y))
		return clock_of(x) < clock_of(y) ? -1 : 1;
	return strcmp(x, y);
}

static char *
make_name(int64_t at, uint64_t clock, struct mt_slice text)
{
	g_autofree char *count = clock == 0 ? g_strdup("") :
	    g_strdup_printf(".%llu", (unsigned long long)clock);
	uint8_t sum[MT_DIGEST_SIZE];
	char when[32];
	time_t t = (time_t)at;
	struct tm tm;

	mt_digest_sha256(text.p, text.n, sum);
	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) == 0)
		g_strlcpy(when, "0", sizeof(when));
	return g_strdup_printf("%s%s-%02x%02x%02x%02x", when, count, sum[0], sum[1],
	    sum[2], sum[3]);
}

char *
mt_backup_naming_new(const GPtrArray *names, int64_t at, struct mt_slice text)
{
	const char *last = names->len == 0 ? NULL :
	    g_ptr_array_index(names, names->len - 1);
	uint64_t clock = last == NULL ? 0 : clock_of(last);
	char *name = make_name(at, clock, text);

	if (last == NULL || mt_backup_naming_compare(&last, &name) < 0)
		return name;
	g_free(name);
	return make_name(at, clock + 1, text);
}

const char *
mt_backup_naming_find(const GPtrArray *names, const char *word, struct mt_err *err)
{
	const char *found = NULL;

	if (word == NULL || g_str_equal(word, "latest"))
		return g_ptr_array_index(names, names->len - 1);
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (g_str_equal(name, word))
			return name;
		if (!g_str_has_prefix(name, word) &&
		    (strlen(word) != 8 || !g_str_has_suffix(name, word)))
			continue;
		if (found != NULL)
			return mt_fail_null(err, MT_EUSAGE,
			    "\"%s\" may be snapshot %s or %s", word, found, name);
		found = name;
	}
	if (found == NULL)
		return mt_fail_null(err, MT_ENOINPUT,
		    "no snapshot \"%s\" (mt-backup list shows them)", word);
	return found;
}
