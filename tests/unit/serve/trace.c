/* trace.c - tests of serve/trace: what stands on top of a delivered message */
#include "serve/trace.h"

#include "tap.h"

int
main(void)
{
	struct mt_smtp_path rcpts[2] = { { .text = "ada+x@example.org" },
		{ .text = "bob@example.org" } };
	struct mt_smtp_envelope e = { .from = { .text = "eve@example.com" },
		.rcpts = rcpts, .rcpts_n = 1 };
	struct mt_serve_trace t = { .envelope = &e, .mailbox = "ada@example.org",
		.helo = "client.example.com", .peer = "192.0.2.1", .with = "ESMTPS",
		.tls_version = "TLSv1.3", .tls_cipher = "TLS_AES_256_GCM_SHA384",
		.host = "mail.example.org", .id = "1.2.3", .time = 0 };
	mt_auto_value(mt_buf) out = MT_BUF_INIT(8192);

	setenv("TZ", "UTC", 1);
	mt_serve_trace_write(&t, &out);
	is_str(out.p, "Return-Path: <eve@example.com>\n"
	    "Delivered-To: ada@example.org\n"
	    "Received: from client.example.com ([192.0.2.1])\n"
	    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\n"
	    "\tby mail.example.org with ESMTPS id 1.2.3\n"
	    "\tfor <ada+x@example.org>;\n"
	    "\tThu, 01 Jan 1970 00:00:00 +0000\n", "one recipient, with TLS");
	e.rcpts_n = 2;
	e.from.text[0] = '\0';
	t.peer = "2001:db8::1";
	t.tls_version = NULL;
	t.helo = "";
	mt_buf_reset(&out);
	mt_serve_trace_write(&t, &out);
	is_str(out.p, "Return-Path: <>\n"
	    "Delivered-To: ada@example.org\n"
	    "Received: from unknown ([IPv6:2001:db8::1])\n"
	    "\tby mail.example.org with ESMTPS id 1.2.3;\n"
	    "\tThu, 01 Jan 1970 00:00:00 +0000\n",
	    "two recipients are not told of each other");
	t.peer = "unix";
	mt_buf_reset(&out);
	mt_serve_trace_write(&t, &out);
	ok(strstr(out.p, "(local socket)") != NULL, "a Unix socket has no address");
	return tap_done();
}
