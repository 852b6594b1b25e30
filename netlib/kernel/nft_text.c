// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/nft_text.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include <linux/netfilter.h>
#include <nftables/libnftables.h>

#include "base/arena.h"
#include "base/cleanup.h"

#define LIBRARY "libnftables.so.1"

/* --- the library --------------------------------------------------------- */

/* What is used of it, under its own names. */
struct library {
	void *handle;
	typeof(nft_ctx_new) *ctx_new;
	typeof(nft_ctx_free) *ctx_free;
	typeof(nft_ctx_buffer_error) *buffer_error;
	typeof(nft_ctx_get_error_buffer) *get_error;
	typeof(nft_run_cmd_from_buffer) *run;
};

static int library_load(struct library *ret, struct err *e)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (handle) {
		ret->ctx_new = dlsym(handle, "nft_ctx_new");
		ret->ctx_free = dlsym(handle, "nft_ctx_free");
		ret->buffer_error = dlsym(handle, "nft_ctx_buffer_error");
		ret->get_error = dlsym(handle, "nft_ctx_get_error_buffer");
		ret->run = dlsym(handle, "nft_run_cmd_from_buffer");
	}
	if (!handle || !ret->ctx_new || !ret->ctx_free || !ret->buffer_error ||
	    !ret->get_error || !ret->run) {
		err_set(e, ERR_UNSUPPORTED, ENOSYS,
			"rules in nft's words need " LIBRARY ": %s", dlerror());
		return -ENOSYS;
	}
	ret->handle = handle;
	return 0;
}

/* --- what users write ---------------------------------------------------- */

int nft_text_check(const char *text, struct err *e)
{
	int depth = 0;

	for (const char *c = text; *c && depth >= 0; c++) {
		depth += *c == '{';
		depth -= *c == '}';
		if ((unsigned char)*c < ' ' || strchr(";#\\", *c))
			depth = -1;
	}
	if (!depth && *text)
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "\"%s\" is not a part of one nftables rule", text);
}

/* --- running ------------------------------------------------------------- */

static const char *family_name(uint32_t family)
{
	return family == NFPROTO_BRIDGE ? "bridge" : "inet";
}

/* The first line; the rest shows where in the text. */
static int explain(const struct library *lib, struct nft_ctx *ctx,
		   const char *rule, struct err *e)
{
	const char *said = lib->get_error(ctx);
	const char *at = said ? strstr(said, "Error: ") : NULL;

	if (at)
		said = at + strlen("Error: ");
	return err_set(e, ERR_CONFIG, EINVAL, "nftables rule \"%s\": %.*s",
		       rule, said ? (int)strcspn(said, "\n") : 0,
		       said ? said : "");
}

static int run(const char *commands, const char *rule, struct err *e)
{
	struct library lib = { 0 };
	struct nft_ctx *ctx;
	int r = library_load(&lib, e);

	if (r)
		return r;
	ctx = lib.ctx_new(NFT_CTX_DEFAULT);
	if (!ctx)
		return err_oom(e);
	lib.buffer_error(ctx);
	if (lib.run(ctx, commands))
		r = explain(&lib, ctx, rule, e);
	lib.ctx_free(ctx);
	return r;
}

int nft_text_fill_chain(const struct nft *nft, const char *chain,
			const char *rule, struct err *e)
{
	_arena_ struct arena a = { 0 };
	const char *family = family_name(nft->family);
	const char *commands = arena_printf(
		&a, "flush chain %s %s %s; add rule %s %s %s %s", family,
		nft->table, chain, family, nft->table, chain, rule);

	return commands ? run(commands, rule, e) : err_oom(e);
}
