/* learn.c - the Message-ID that a reply names, and replies that name none */
#include "send/learn.h"

#include "tap.h"

#define SES_ID "0102018f2b3c4d5e-6f708192-a3b4-c5d6-e7f8-091a2b3c4d5e-000000"

static const struct {
	const char *reply, *host, *want;	/* NULL: nothing is learnt */
} cases[] = {
	{ "250 Ok " SES_ID, "email-smtp.eu-west-1.amazonaws.com",
	    "<" SES_ID "@eu-west-1.amazonses.com>" },
	{ "250 Ok " SES_ID, "email-smtp-fips.us-east-1.amazonaws.com",
	    "<" SES_ID "@email.amazonses.com>" },
	{ "250 Ok " SES_ID, "email-smtp.eu-west-1.amazonaws.com.evil.example", NULL },
	{ "250 Ok " SES_ID, "mail.example.org", NULL },
	{ "250 Ok queued", "email-smtp.eu-west-1.amazonaws.com", NULL },
	{ "250 Ok " SES_ID " <x@y>", "email-smtp.eu-west-1.amazonaws.com", NULL },
	{ "250 2.6.0 <new@ex.example> [InternalId=123, Hostname=h] Queued mail for delivery",
	    "mail.example.org", "<new@ex.example>" },
	{ "250 2.0.0 OK <new@prod.outlook.com> [Hostname=AB1.prod.outlook.com]",
	    "smtp.office365.com", "<new@prod.outlook.com>" },
	{ "250 2.6.0 <ours@x.example> [InternalId=123] Queued", "mail.example.org", NULL },
	{ "250 2.6.0 <no id at all> [InternalId=123] Queued", "mail.example.org", NULL },
	{ "250 2.6.0 <> [InternalId=123] Queued", "mail.example.org", NULL },
	{ "250 2.6.0 <new@ex.example", "mail.example.org", NULL },
	{ "250 2.0.0 OK <new@x.example>", "mail.example.org", NULL },
	{ "250 2.0.0 Ok: queued as <4F2@mail.example.org>", "mail.example.org", NULL },
	{ "250 ok", "mail.example.org", NULL },
	{ "", "", NULL },
};

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *id = mt_learn_message_id(cases[i].reply, cases[i].host,
		    "<ours@x.example>");

		is_str(id != NULL ? id : "nothing", cases[i].want != NULL ? cases[i].want :
		    "nothing", "%s", cases[i].reply);
	}
	return tap_done();
}
