/* forgotten.c - tests of libmt/send/forgotten.c */
#include "send/forgotten.h"

#include <glib.h>

#include "tap.h"

static const struct {
	const char *name, *text, *word;	/* word NULL: nothing is found */
	size_t line;
} cases[] = {
	{ "nothing", "", NULL, 0 },
	{ "no such word", "See you at noon.\n", NULL, 0 },
	{ "English", "Hello,\n\nI have attached the plan.\n", "attached", 3 },
	{ "without an end", "see attachment", "attachment", 1 },
	{ "several", "my attachments", "attachments", 1 },
	{ "in capitals, before a full stop", "Please find it ATTACHED.\r\nBye\r\n",
	    "attached", 1 },
	{ "two words", "Hello, I attach the plan.\n", "i attach", 1 },
	{ "not quite these two", "Hi attach I attached_to\n", NULL, 0 },
	{ "a part of a word", "unattached, attachedness, reattachment\n", NULL, 0 },
	{ "a part of a name", "call mt_attached() or attached_file\n", NULL, 0 },
	{ "the second time it is a word", "unattached but attached\n", "attached", 1 },
	{ "enclosed", "the enclosed bill\n", "enclosed", 1 },
	{ "German", "Im Anhang der Plan.\n", "anhang", 1 },
	{ "German, an ending", "Die angehängten Bilder\n", "angehängten", 1 },
	{ "German, capitals beyond ASCII", "ANGEHÄNGT\n", "angehängt", 1 },
	{ "German, decomposed", "Das beigefu\xcc\x88gte Bild\n", "beigefügte", 1 },
	{ "another German word", "anhängliche Hunde\n", NULL, 0 },
	{ "French", "Veuillez trouver ci-joint le plan\n", "ci-joint", 1 },
	{ "French, an ending", "Ci-jointes, les photos\n", "ci-jointes", 1 },
	{ "French, two words", "En Pièce jointe.\n", "pièce jointe", 1 },
	{ "Spanish", "Te adjunto el plan\n", "adjunto", 1 },
	{ "quoted", "> see attached\n>> attached\nYes.\n", NULL, 0 },
	{ "below a quotation", "> see attached\n\nHere it is, attached\n", "attached", 3 },
	{ "in a signature", "Bye\n-- \nAttached to nobody\n", NULL, 0 },
	{ "below what is no signature", "Bye\n--\nattached\n", "attached", 3 },
	{ "below the line of a forwarded message", "FYI\n---------- Forwarded message ----------\n"
	    "attached\n", NULL, 0 },
	{ "below that of an answered one", "-----Original Message-----\nattached\n", NULL, 0 },
	{ "below a rule", "-----------\nattached\n", "attached", 2 },
	{ "in an address of the web", "<https://x.y/attachment/1>, attachment@x.y\n", NULL, 0 },
	{ "beside one", "https://x.y/attachment/1 attached\n", "attached", 1 },
	{ "beside bytes that are no text", "\xff\xe9 attached \xc3\n", "attached", 1 },
	{ "glued to such", "\xff" "attached\xc3\n", "attached", 1 },
};

int
main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *exact = tap_exact(cases[i].text, n);
		struct mt_forgotten found = { NULL, 0 };
		bool is_found = mt_forgotten_find(mt_slice_mem(exact, n), &found);

		ok(is_found == (cases[i].word != NULL), "%s: whether", cases[i].name);
		is_str(found.word, cases[i].word, "%s: which word", cases[i].name);
		is_int(found.line, cases[i].line, "%s: where", cases[i].name);
		g_free(found.word);
		free(exact);
	}
	return tap_done();
}
