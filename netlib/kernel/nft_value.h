// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What nftables sets are made of: data types, sets, and the keys and values of
 * elements, concatenated as the kernel's registers hold them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/owner.h"

#define NFT_NAME_MAX   80 /* of chains, sets and objects as we make them */
#define NFT_VALUE_MAX  64 /* NFT_DATA_VALUE_MAXLEN */
#define NFT_FIELDS_MAX 4
#define NFT_LABEL_MAX  80

/* Data types as nft numbers them, for its listings (nft's datatype.h). */
enum nft_datatype {
	NFT_TYPE_END,
	NFT_TYPE_INTEGER = 4, /* here: 128 bits of a packet */
	NFT_TYPE_IPV4_ADDR = 7,
	NFT_TYPE_IPV6_ADDR = 8,
	NFT_TYPE_ETHER_ADDR = 9,
	NFT_TYPE_INET_PROTO = 12,
	NFT_TYPE_INET_SERVICE = 13,
	NFT_TYPE_IFNAME = 41,
};

enum nft_set_kind {
	NFT_KIND_SET,	  /* keys only */
	NFT_KIND_MAP,	  /* keys to values */
	NFT_KIND_VMAP,	  /* keys to chains */
	NFT_KIND_COUNTER, /* keys to named counters */
};

/* A set as nft writes it: "type ipv4_addr . inet_service : ipv4_addr". */
struct nft_set_spec {
	const char *name;
	enum nft_set_kind kind;
	enum nft_datatype key[NFT_FIELDS_MAX + 1];   /* ends with 0 */
	enum nft_datatype value[NFT_FIELDS_MAX + 1]; /* NFT_KIND_MAP */
	/* Not 0: where in the network header the integer of the key, which is
	 * then iifname . integer, comes from. nft has no name for its type and
	 * writes "typeof iifname . @nh,BITS,128". */
	uint32_t nh_offset;
};

/* The type of an address of the family. */
enum nft_datatype nft_address_type(uint8_t family);

/* Bytes that the concatenation takes, and its number in a listing. */
uint32_t nft_types_len(const enum nft_datatype *types);
uint32_t nft_types_id(const enum nft_datatype *types);

/* A concatenation: each part filled up to four bytes with zeros. */
struct nft_value {
	uint8_t bytes[NFT_VALUE_MAX];
	uint32_t len;
};

/* Append a part; what has no room any more is dropped. */
void nft_value_add(struct nft_value *v, const void *part, size_t len);
void nft_value_add_ip(struct nft_value *v, const struct ip_addr *addr);
void nft_value_add_port(struct nft_value *v, uint16_t port);
void nft_value_add_ifname(struct nft_value *v, const char *ifname);
void nft_value_add_mac(struct nft_value *v, const uint8_t mac[static MAC_LEN]);

bool nft_value_equal(const struct nft_value *a, const struct nft_value *b);

struct nft_element {
	struct nft_value key;
	struct nft_value value;	      /* NFT_KIND_MAP */
	char target[NFT_NAME_MAX];    /* the chain or the counter */
	char comment[OWNER_TEXT_MAX]; /* "" for none */
	char label[NFT_LABEL_MAX];    /* the key in messages; not stored */
};
