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
own_key(const struct send *s, const struct mt_addr *author)
{
	const char *key = s->account->pgp_key, *at;

	if (key == NULL)
		return exact(author);
	at = strpbrk(key, "<= @");
	return at != NULL && *at == '@' && at > key ? g_strdup_printf("<%s>", key) :
	    g_strdup(key);
}

void
send_add_wish(const struct send *s, struct mt_wish *w)
{
	w->sign |= s->sign;
	w->encrypt |= s->encrypt;
}

struct mt_wish
send_whole_wish(const struct send *s, const struct mt_wish *w)
{
	struct mt_wish all = *w;

	all.sign |= s->account->sign && !s->no_sign;
	return all;
}

/* What is not fit to be signed after all (parts of a forwarded message, a draft) is now. */
static int
make_firm(int draft, struct mt_err *err)
{
	int firm = mt_seven_write_firm(draft, err);

	close(draft);
	return firm;
}

int
send_protect(const struct send *s, const struct send_pgp *how, int draft, struct mt_err *err)
{
	g_autoptr(GPtrArray) readers = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *own = own_key(s, how->author);
	struct mt_pgp p = { .hides_readers = how->has_bcc };
	int out;

	if (how->wish.sign) {
		p.signer = own;
		draft = make_firm(draft, err);
		if (draft < 0)
			return -1;
	}
	if (how->wish.encrypt) {
		for (size_t i = 0; i < how->rcpts->n; i++)
			g_ptr_array_add(readers, exact(&how->rcpts->v[i]));
		/* The copy in Sent is for us to read. */
		g_ptr_array_add(readers, g_strdup(own));
		g_ptr_array_add(readers, NULL);
		p.readers = (const char *const *)readers->pdata;
	}
	out = mt_pgp_write(draft, &p, err);
	close(draft);
	return out;
}
