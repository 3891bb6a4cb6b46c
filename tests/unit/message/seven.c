/* seven.c - 8-bit messages of ours become 7-bit ones that say the same */
#include "message/seven.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "message/text.h"
#include "tap.h"

#define HEAD "From: Ada <a@b.example>\nTo: c@d.example,\n\te@f.example\nMIME-Version: 1.0\n" \
	"Subject: =?utf-8?q?gr=C3=BC?=\n =?utf-8?q?n?=\n"
#define PART "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" \
	"gr\xc3\xbcn = 1\n"

static const struct {
	const char *text, *has, *lacks, *why;
	bool firm;
} table[] = {
	{ HEAD PART, HEAD, "8bit", "one part", false },
	{ HEAD "Content-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\n" PART
	    "\n--=_x\nContent-Type: text/plain\n\nplain = 1\n\n--=_x--\n", "\nplain = 1\n", "8bit",
	    "of several parts only those that need it", false },
	{ HEAD "Content-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\n"
	    "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n" HEAD PART
	    "\n--=_x--\n", "Content-Type: application/octet-stream", "8bit",
	    "a message in a message goes as bytes", false },
	{ HEAD "Content-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\n"
	    "Content-Type: message/rfc822\nContent-Disposition: attachment;\n filename=a.eml\n\n"
	    HEAD "Subject: gr\xc3\xbcn\n\nplain\n\n--=_x--\n", "filename=a.eml", "rfc822",
	    "one with 8-bit fields as well, under its name", false },
	{ HEAD "Content-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\n"
	    "Content-Type: message/rfc822\n\n" HEAD "\nplain\n\n--=_x\n" PART "\n--=_x--\n",
	    "\nContent-Type: message/rfc822\n\n" HEAD "\nplain\n", "8bit",
	    "one of 7 bits stays", false },
	{ HEAD "\nplain\n", HEAD "\nplain\n", "quoted", "a message of 7 bits stays", false },
	{ HEAD "\n-- \nme\n", HEAD "\n-- \nme\n", "quoted", "weak lines stay", false },
	{ HEAD "\nplain\nFromage\n From x\n", HEAD "\nplain\nFromage\n From x\n", "quoted",
	    "to be signed, what is firm stays", true },
	{ HEAD PART, HEAD, "8bit", "to be signed, 8 bits", true },
	{ HEAD "\n-- \nme\n", "quoted-printable\n\n--=20\nme", "-- ", "a blank at the end", true },
	{ HEAD "\nme\t\r\nyou\n", "quoted-printable\n\nme=09", "me\t", "a tab and CRLF", true },
	{ HEAD "\nlast ", "last=20", "last ", "a blank at the very end", true },
	{ HEAD "\nx\nFrom y\n", "base64\n\neApGcm9tIHk", "From y", "what mbox takes", true },
	{ HEAD "Content-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\n"
	    "Content-Type: message/rfc822\n\n" HEAD "\n-- \nme\n\n--=_x--\n", "base64", "-- ",
	    "a message in a message", true },
	{ HEAD "Content-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\n"
	    "Content-Type: multipart/signed; boundary=\"=_y\"\n\n--=_y\n\n-- \nme\n\n--=_y\n"
	    "Content-Type: application/pgp-signature\n\nx\n--=_y--\n\n--=_x--\n",
	    "--=_y\n\n-- \nme\n\n--=_y\n", "quoted", "what somebody else signed stays", true },
};

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		mt_auto_fd int fd = mt_file_temp(NULL);
		mt_auto_fd int out = -1;
		mt_auto_value(mt_buf) got = MT_BUF_INIT(MT_MIB(1));
		struct mt_err err = { 0 };
		g_autofree char *text = NULL;
		bool is_seven = true;

		if (mt_file_write_all(fd, table[i].text, strlen(table[i].text)) < 0)
			g_error("no file");
		out = table[i].firm ? mt_seven_write_firm(fd, &err) : mt_seven_write(fd, &err);
		if (out < 0 || lseek(out, 0, SEEK_SET) < 0 || mt_file_read_fd(out, &got, &err) < 0)
			g_error("%s", err.msg);
		text = mt_slice_dup(mt_buf_slice(&got));
		for (const char *p = text; *p != '\0'; p++)
			is_seven = is_seven && (unsigned char)*p < 0x80;
		ok(is_seven, "%s: no 8-bit byte", table[i].why);
		ok(strstr(text, table[i].has) != NULL, "%s: as it should be", table[i].why);
		ok(strstr(text, table[i].lacks) == NULL, "%s: and nothing else", table[i].why);
	}
	return tap_done();
}
