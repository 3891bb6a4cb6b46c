/* tap.h - the smallest useful unit test: TAP on standard output, for prove(1) */
#ifndef MT_TESTS_TAP_H
#define MT_TESTS_TAP_H

#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

/* One promise. Prints where it broke. Returns whether it held. */
#define ok(cond, ...) tap_ok((cond), #cond, __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) \
	tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...) \
	tap_is_int((long long)(got), (long long)(want), __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 2, 0))) static inline void
tap_line(bool held, const char *fmt, va_list ap)
{
	printf("%sok %d - ", held ? "" : "not ", ++tap_count);
	vprintf(fmt, ap);
	putchar('\n');
	tap_failed += !held;
}

__attribute__((format(printf, 5, 6), unused)) static bool
tap_ok(bool held, const char *what, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_line(held, fmt, ap);
	va_end(ap);
	if (!held)
		printf("# %s:%d: %s\n", file, line, what);
	return held;
}

__attribute__((format(printf, 5, 6), unused)) static bool
tap_is_str(const char *got, const char *want, const char *file, int line,
    const char *fmt, ...)
{
	bool held = g_strcmp0(got, want) == 0;
	va_list ap;

	va_start(ap, fmt);
	tap_line(held, fmt, ap);
	va_end(ap);
	if (!held)
		printf("# %s:%d\n#  got: %s\n# want: %s\n", file, line,
		    got == NULL ? "(null)" : got, want == NULL ? "(null)" : want);
	return held;
}

__attribute__((format(printf, 5, 6), unused)) static bool
tap_is_int(long long got, long long want, const char *file, int line, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_line(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("# %s:%d\n#  got: %lld\n# want: %lld\n", file, line, got, want);
	return got == want;
}

/* An exact-size heap copy without NUL, so that ASan sees one byte too far. g_free. */
__attribute__((unused)) static char *
tap_exact(const void *p, size_t n)
{
	char *copy = malloc(n == 0 ? 1 : n);

	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

/* Ends a test's main(): `return tap_done();` */
static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed == 0 ? 0 : 1;
}

#endif
