/* banned.h - calls that are refused at compile time (the Makefile includes it first) */
#ifndef MT_BASE_BANNED_H
#define MT_BASE_BANNED_H

/* The system's headers first, since they may name what is banned. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok atoi atol
#pragma GCC poison gmtime localtime ctime asctime mktemp tmpnam system popen gets

#endif
