/* auto.h - variables that free themselves, and the calls that nobody may use */
#ifndef MT_BASE_AUTO_H
#define MT_BASE_AUTO_H

#include <stdio.h>
#include <unistd.h>

/*
 * `mt_auto(mt_conn) c = NULL;` declares `struct mt_conn *c` that is freed when it
 * goes out of scope; the type's header says MT_AUTO_DEFINE(mt_conn, mt_conn_free).
 * Hand the object on with mt_steal(&c).
 */
#define MT_AUTO_DEFINE(type, release) \
	static inline void type##_auto_release(struct type **p) \
	{ \
		if (*p != NULL) \
			release(*p); \
	} \
	struct type

#define mt_auto(type) __attribute__((cleanup(type##_auto_release))) struct type *

/*
 * The same for a struct by value: `mt_auto_value(mt_buf) b = MT_BUF_INIT(max);`,
 * where the header says MT_AUTO_VALUE_DEFINE(mt_buf, mt_buf_clear).
 */
#define MT_AUTO_VALUE_DEFINE(type, clear) \
	static inline void type##_auto_clear(struct type *p) \
	{ \
		clear(p); \
	} \
	struct type

#define mt_auto_value(type) __attribute__((cleanup(type##_auto_clear))) struct type

/* Take the pointer (or descriptor) out of a variable, so that it is not freed. */
#define mt_steal(p) \
	({ \
		__typeof__(*(p)) taken_ = *(p); \
		*(p) = NULL; \
		taken_; \
	})

static inline void
mt_auto_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void
mt_auto_close_file(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

/* `mt_auto_fd int fd = -1;`: closed, unchecked: never for a file that was written. */
#define mt_auto_fd __attribute__((cleanup(mt_auto_close_fd)))
#define mt_auto_file __attribute__((cleanup(mt_auto_close_file)))

static inline int
mt_steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
