// SPDX-License-Identifier: GPL-2.0-or-later
/* The expressions that rules are made of, each under the nft text it stands
 * for. All use register 1 and accept a NULL rule (out of memory). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

struct nftnl_rule;

/* ip saddr vmap @map (ip6 saddr ...) */
void expr_saddr_vmap(struct nftnl_rule *r, uint8_t address_family,
		     const char *map);

/* ip daddr PREFIX (ip6 daddr ...) */
void expr_daddr_in(struct nftnl_rule *r, const struct ip_prefix *prefix);

/* return */
void expr_return(struct nftnl_rule *r);

/* goto CHAIN */
void expr_goto(struct nftnl_rule *r, const char *chain);

/* masquerade */
void expr_masquerade(struct nftnl_rule *r);
