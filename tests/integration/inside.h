/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inside.c: which integration tests cannot run inside the hypervisor for tests, and why (make
 * test-hypervisor).
 */
#ifndef TESTS_INTEGRATION_INSIDE_H
#define TESTS_INTEGRATION_INSIDE_H

struct guest_options;

/* Returns why a test that starts such a guest cannot run there; NULL: it can. */
const char *inside_reason(const char *test, const struct guest_options *guest);

#endif
