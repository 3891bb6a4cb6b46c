/* pgp.c - what is said of a message that cannot be signed; the rest is e2e/send-pgp */
#include "message/pgp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tap.h"

static int
message(const char *text)
{
	int fd = mt_file_temp(NULL);

	if (fd < 0 || mt_file_write_all(fd, text, strlen(text)) < 0)
		g_error("no message");
	return fd;
}

int
main(void)
{
	static const char *const nobody[] = { "<nobody@x.example>", NULL };
	g_autofree char *home = g_dir_make_tmp("mt-gpg-XXXXXX", NULL);
	const struct mt_pgp sign = { .signer = "<nobody@x.example>" };
	const struct mt_pgp encrypt = { .readers = nobody };
	mt_auto_fd int good = message("From: a@x.example\nContent-Type: text/plain\n\nhello\n");
	mt_auto_fd int eight = message("From: a@x.example\n\ngr\xc3\xbcn\n");
	struct mt_err err = { 0 };

	setenv("GNUPGHOME", home, 1);
	ok(mt_pgp_write(good, &sign, &err) < 0 && err.kind == MT_ECONF, "no key to sign with");
	ok(strstr(err.msg, "<nobody@x.example>") != NULL, "and it says whose: %s", err.msg);
	err = (struct mt_err){ 0 };
	ok(mt_pgp_write(good, &encrypt, &err) < 0 && err.kind == MT_ECONF, "none to encrypt for");
	ok(strstr(err.msg, "<nobody@x.example>") != NULL, "and it says whose: %s", err.msg);
	err = (struct mt_err){ 0 };
	ok(mt_pgp_write(eight, &sign, &err) < 0 && err.kind == MT_EDATA,
	    "8-bit bytes are not signed: a server may change them");
	(void)mt_file_remove_tree(home, NULL);
	return tap_done();
}
