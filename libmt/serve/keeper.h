/* keeper.h - the process that holds the keys to every mailbox */
#ifndef MT_SERVE_KEEPER_H
#define MT_SERVE_KEEPER_H

#include "serve/serve.h"

/*
 * Serve the sessions that the parent announces on parent_fd, until the parent closes it
 * and the last session has gone. Confines itself first. Gives the exit status.
 */
int mt_serve_keeper_main(const struct mt_serve_params *params, int parent_fd);

#endif
