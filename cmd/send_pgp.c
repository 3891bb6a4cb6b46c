/* send_pgp.c - mt-send: --sign and --encrypt, with the keys of GnuPG */
#include <string.h>
#include <unistd.h>

#include "message/pgp.h"
#include "message/seven.h"
#include "send.h"

/* As GnuPG takes an address exactly, and not as a part of another. */
static char *
exact(const struct mt_addr *a)
{
	g_autofree char *spec = mt_addr_spec(a);

	return g_strdup_printf("<%s>", spec);
}

/* pgp_key, where an address means no more than itself, too; else the author's address. */
static char *
own_key(const struct send *s, const struct mt_compose *c)
{
	const char *key = s->account->pgp_key, *at;

	if (key == NULL)
		return exact(send_envelope_sender(c));
	at = strpbrk(key, "<= @");
	return at != NULL && *at == '@' && at > key ? g_strdup_printf("<%s>", key) :
	    g_strdup(key);
}

bool
send_wants_pgp(const struct send *s)
{
	return s->encrypt || s->sign || (s->account->sign && !s->no_sign);
}

/* What is 8-bit after all (parts of a forwarded message) is not any more. */
static int
without_8bit(int draft, struct mt_err *err)
{
	int seven = mt_seven_write(draft, err);

	close(draft);
	return seven;
}

int
send_protect(const struct send *s, const struct mt_compose *c, const struct mt_addr_list *rcpts,
    int draft, struct mt_err *err)
{
	g_autoptr(GPtrArray) readers = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *own = own_key(s, c);
	struct mt_pgp p = { .hides_readers = c->bcc.n > 0 };
	int out;

	if (s->sign || (s->account->sign && !s->no_sign))
		p.signer = own;
	if (s->encrypt) {
		for (size_t i = 0; i < rcpts->n; i++)
			g_ptr_array_add(readers, exact(&rcpts->v[i]));
		/* The copy in Sent is for us to read. */
		g_ptr_array_add(readers, g_strdup(own));
		g_ptr_array_add(readers, NULL);
		p.readers = (const char *const *)readers->pdata;
	} else {
		draft = without_8bit(draft, err);
		if (draft < 0)
			return -1;
	}
	out = mt_pgp_write(draft, &p, err);
	close(draft);
	return out;
}
