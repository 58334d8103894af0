/* Operations that functions for apps answer as well, wholly or in part. Most operations are none: their vectors give what
 * a device draws at random, or look at values that never leave it. */

#ifndef DIRECT_H
#define DIRECT_H

#include <stdbool.h>
#include <stdio.h>

#include "json.h"

/* Answers the operation by the functions for apps, if they can, and holds that against `response`, the fields of the answer.
 * False if they contradict each other, which is said on standard error. */
bool direct_agrees(json_text op, json_text input, json_text response);

/* From now on the first byte of what goes into the functions for apps for this operation is another one: `direct_agrees` has
 * to notice. False if no function answers the operation. */
bool direct_plant_fault(const char *op);

/* How many operations were answered twice. */
void direct_report(FILE *to);

#endif
