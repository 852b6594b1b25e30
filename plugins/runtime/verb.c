// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/verb.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define COMMAND_MAX 64

/* What the parser is to find, and what it found. */
struct choice {
	const struct verb_set *set;
	const struct verb *verb;
	int first; /* index of the verb in argv */
};

static const struct argp_option options[] = {
	{ "version", 'V', NULL, 0, "Print the version", 0 },
	{ 0 },
};

static const struct verb *find_verb(const struct verb_set *set,
				    const char *name)
{
	for (const struct verb *v = set->verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;

	switch (key) {
	case 'V':
		puts("hawser " HAWSER_VERSION);
		exit(0);
	case ARGP_KEY_ARG:
		choice->verb = find_verb(choice->set, arg);
		if (!choice->verb)
			argp_error(state, "\"%s\" is not one of its commands",
				   arg);
		choice->first = state->next - 1;
		state->next = state->argc; /* the rest is the verb's */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The list of verbs, after what argp says about options. */
static char *add_verbs(int key, const char *text, void *input)
{
	const struct choice *choice = input;
	char *list = NULL;
	size_t size;
	FILE *out;

	if (key != ARGP_KEY_HELP_POST_DOC || !choice)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return NULL;
	fputs("Commands (each has a --help):", out);
	for (const struct verb *v = choice->set->verbs; v->name; v++)
		fprintf(out, "\n  %-7s %-25s %s", v->name, v->arguments,
			v->summary);
	fclose(out);
	return list;
}

int verb_dispatch(const struct verb_set *set, int argc, char *argv[],
		  char *const *env)
{
	const struct argp argp = { options, parse, "COMMAND [ARGUMENT...]",
				   set->doc, .help_filter = add_verbs };
	struct choice choice = { .set = set };
	char command[COMMAND_MAX];

	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice))
		return 1;
	snprintf(command, sizeof(command), "%s %s", argv[0], choice.verb->name);
	argv[choice.first] = command;
	return choice.verb->run(argc - choice.first, argv + choice.first, env);
}

int verb_fail(const char *command, const struct err *e)
{
	const char *verb = strchr(command, ' ');

	fprintf(stderr, "hawser: %s: %s%s%s%s\n", verb ? verb + 1 : command,
		e->msg, *e->details ? " (" : "", e->details,
		*e->details ? ")" : "");
	return 1;
}
