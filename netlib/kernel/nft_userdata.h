// SPDX-License-Identifier: GPL-2.0-or-later
/* What nft(8) keeps with a set for itself: the kernel stores it and does not read it. */
#pragma once

struct nft_set_spec;
struct nlmsghdr;

/* Append to @msg what nft needs to list the set, where the types' numbers do not
 * say it: a name that stands alone is in the host's order to it, and back to
 * front otherwise (nft's datatype.h, BYTEORDER_HOST_ENDIAN). */
void nft_put_set_userdata(struct nlmsghdr *msg, const struct nft_set_spec *set);
