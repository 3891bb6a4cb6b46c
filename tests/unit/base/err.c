/* err.c - errors: text, kind, context, and that hostile words stay printable */
#include "base/err.h"

#include <errno.h>
#include <sysexits.h>

#include "tap.h"

int
main(void)
{
	struct mt_err err = { 0 };
	g_autofree char *longest = g_strnfill(5000, 'x');

	errno = ENOENT;
	is_int(mt_fail(&err, MT_ENOINPUT, "open %s: %m", "a"), -1, "fails with -1");
	is_str(err.msg, "open a: No such file or directory", "%%m is the system's error");
	is_int(errno, ENOENT, "errno is kept");
	mt_fail_in(&err, "folder %s", "Work");
	is_str(err.msg, "folder Work: open a: No such file or directory", "context");
	is_int(err.kind, MT_ENOINPUT, "the kind stays");
	mt_fail_dsn(&err, MT_EUNAVAIL, "5.1.1", "server said: %s", "no\033[2J\r\n\xff \xc2\x9b");
	is_str(err.msg, "server said: no\\x1b[2J\\x0d\\x0a\\xff \\xc2\\x9b",
	    "control characters and broken UTF-8 are shown in hex");
	is_str(err.dsn, "5.1.1", "the status code is kept");
	mt_fail(&err, MT_EDATA, "%s", longest);
	ok(strlen(err.msg) < sizeof(err.msg), "a long message is cut");
	mt_fail(&err, MT_EDATA, "%s", "gr\xc3\xbc\xc3\x9f");
	is_str(err.msg, "gr\xc3\xbc\xc3\x9f", "UTF-8 stays");
	ok(mt_fail(NULL, MT_EDATA, "nobody listens") == -1, "a NULL error is allowed");
	is_int(mt_err_exit(MT_ETEMP), EX_TEMPFAIL, "temporary is 75");
	is_int(mt_err_exit(MT_ECONF), EX_CONFIG, "configuration is 78");
	is_int(mt_err_exit(MT_ENONE), EX_OK, "none is 0");
	is_int(mt_err_kind_of_errno(ENOSPC), MT_ETEMP, "a full disk is temporary");
	errno = ENOSPC;
	mt_fail(&err, MT_ETEMP, "write: %m");
	is_str(err.dsn, "4.3.1", "and has a status code");
	mt_fail(&err, MT_ETEMP, "something else");
	is_str(err.dsn, "", "which errors that are not about it have not");
	is_int(mt_err_kind_of_errno(EIO), MT_EIO, "a broken disk is not");
	return tap_done();
}
