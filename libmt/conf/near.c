/* near.c - which word did they mean? */
#include "conf/near.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

size_t
mt_near_distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n + 1 > G_N_ELEMENTS(row) || strlen(a) + 1 > G_N_ELEMENTS(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];
			size_t best = MIN(MIN(up, row[j - 1]) + 1,
			    corner + (a[i - 1] != b[j - 1]));

			corner = up;
			row[j] = best;
		}
	}
	return row[n];
}
