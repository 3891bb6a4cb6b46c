/* subject.h - the words that answers and forwarded messages put in front of a subject */
#ifndef MT_MESSAGE_SUBJECT_H
#define MT_MESSAGE_SUBJECT_H

/*
 * `prefix` and the subject, without what stands in front of that already: each of `words`
 * (lower case, ended by NULL) with a colon, as in "Re:", "RE[2]:", "Aw :", however often.
 * g_free.
 */
char *mt_subject_begin(const char *prefix, const char *const words[], const char *subject);

#endif
