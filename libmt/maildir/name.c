/* name.c - names of messages in a Maildir: unique part, size, flags */
#include "maildir/name.h"

#include <glib.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* The host's name as a file name may hold it: "/" and ":" as Maildir escapes them, at
   most 64 bytes, so that the whole name fits. */
static const char *
host_name(void)
{
	static char safe[80];
	static gsize once;

	if (g_once_init_enter(&once)) {
		char host[65] = "";
		size_t n = 0;

		if (gethostname(host, sizeof(host) - 1) < 0 || host[0] == '\0')
			g_strlcpy(host, "localhost", sizeof(host));
		for (const char *p = host; *p != '\0' && n + 5 < sizeof(safe); p++) {
			unsigned char c = (unsigned char)*p;

			if (c == '/' || c == ':' || c == ',' || c <= ' ' || c >= 0x7f)
				n += (size_t)snprintf(safe + n, 5, "\\%03o", c);
			else
				safe[n++] = *p;
		}
		safe[n] = '\0';
		g_once_init_leave(&once, 1);
	}
	return safe;
}

void
mt_maildir_name_unique(char out[MT_MAILDIR_NAME_SIZE])
{
	static gint count;
	struct timespec now;
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = ((uint64_t)g_random_int() << 32) | g_random_int();
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(out, MT_MAILDIR_NAME_SIZE, "%lld.M%06ldP%dQ%dR%016llx.%s",
	    (long long)now.tv_sec, now.tv_nsec / 1000, (int)getpid(),
	    g_atomic_int_add(&count, 1), (unsigned long long)random, host_name());
}

/* The value of ",S=" in a unique part; UINT64_MAX when there is none. */
static uint64_t
size_of(struct mt_slice unique)
{
	for (size_t i = 0; i + 3 < unique.n; i++) {
		struct mt_slice at = mt_slice_from(unique, i);
		uint64_t size;

		if (mt_slice_take(&at, MT_SLICE(",S=")) &&
		    mt_slice_take_u64(&at, UINT64_MAX - 1, &size) &&
		    (at.n == 0 || at.p[0] == ','))
			return size;
	}
	return UINT64_MAX;
}

bool
mt_maildir_name_parse(const char *file, struct mt_maildir_name *out)
{
	struct mt_slice rest = mt_slice_str(file), digits;
	uint64_t seconds = 0;

	if (rest.n == 0 || rest.n >= MT_MAILDIR_NAME_SIZE || file[0] == '.' ||
	    mt_slice_find(rest, '/') != rest.n)
		return false;
	out->unique = mt_slice_first(rest, mt_slice_find(rest, ':'));
	rest = mt_slice_from(rest, out->unique.n);
	if (!mt_slice_take(&rest, MT_SLICE(":2,")))
		rest.n = 0;
	out->flags = rest;
	out->size = size_of(out->unique);
	digits = out->unique;
	if (!mt_slice_take_u64(&digits, INT64_MAX, &seconds) ||
	    (digits.n > 0 && digits.p[0] != '.'))
		seconds = 0;
	out->time = (int64_t)seconds;
	return true;
}

bool
mt_maildir_flags_valid(struct mt_slice flags)
{
	for (size_t i = 0; i < flags.n; i++) {
		if (!g_ascii_isalpha(flags.p[i]))
			return false;
	}
	return flags.n < MT_MAILDIR_FLAGS_SIZE;
}

bool
mt_maildir_name_with_flags(struct mt_slice unique, struct mt_slice flags,
    char out[MT_MAILDIR_NAME_SIZE])
{
	char sorted[128] = "";
	size_t n = 0;

	if (!mt_maildir_flags_valid(flags) || unique.n == 0)
		return false;
	for (char c = 'A'; c <= 'z'; c++) {
		if (flags.n > 0 && memchr(flags.p, c, flags.n) != NULL)
			sorted[n++] = c;
	}
	return snprintf(out, MT_MAILDIR_NAME_SIZE, "%.*s:2,%s", (int)unique.n, unique.p,
	    sorted) < MT_MAILDIR_NAME_SIZE;
}
