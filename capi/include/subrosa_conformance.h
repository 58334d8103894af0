/*
 * subrosa_conformance.h - the operations of the conformance vectors. Not for apps: no library that is shipped has it.
 *
 * SYNOPSIS
 *
 *     cargo build --release -p subrosa-capi --features conformance
 *
 *     subrosa_answer *answer;
 *     subrosa_answer_info info = { sizeof info, 0, { NULL, 0 } };
 *     subrosa_conformance_perform(op, op_len, input, input_len, &answer);
 *     subrosa_answer_read(answer, &info);
 *     subrosa_answer_free(answer);
 *
 * The vectors, their operations and their JSON are described in test-vectors/README.md. The rules of subrosa.h hold.
 */

#ifndef SUBROSA_CONFORMANCE_H
#define SUBROSA_CONFORMANCE_H

#include "subrosa.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#pragma clang diagnostic push
/* Nullability is an extension that clang has in every language mode. */
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

/* What an operation answered. */
typedef struct subrosa_answer subrosa_answer;

#define SUBROSA_ANSWER_OUT 1         /* It succeeded: "out", and "trace" if there is one. */
#define SUBROSA_ANSWER_ERROR 2       /* It refused its input: "error". */
#define SUBROSA_ANSWER_UNSUPPORTED 3 /* There is no such operation: "unsupported". */
#define SUBROSA_ANSWER_INVALID 4     /* The input is none of this operation: "invalid". */

typedef struct subrosa_answer_info {
  size_t struct_size;
  int32_t kind;       /* SUBROSA_ANSWER_… */
  subrosa_bytes json; /* The response of the line protocol, an object without its "id". */
} subrosa_answer_info;

/* Performs the operation `op` on `input`, the text of a JSON object. What an operation says to its input, whatever that is,
 * is an answer and no error of this call. */
SUBROSA_CHECKED subrosa_status subrosa_conformance_perform(const uint8_t *SUBROSA_NULLABLE op, size_t op_len,
                                                           const uint8_t *SUBROSA_NULLABLE input, size_t input_len,
                                                           subrosa_answer *SUBROSA_NULLABLE *SUBROSA_NONNULL answer);

/* What was answered. */
SUBROSA_CHECKED subrosa_status subrosa_answer_read(const subrosa_answer *answer, subrosa_answer_info *info);

subrosa_status subrosa_answer_free(subrosa_answer *SUBROSA_NULLABLE answer);

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#ifdef __cplusplus
}
#endif

#endif
