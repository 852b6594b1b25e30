# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion for hawser(1) in bash: commands and options are those that --help
# names, networks those of /etc/cni/net.d.

_hawser_networks() {
	sed -n 's/^[[:space:]{]*"name":[[:space:]]*"\([^"]*\)".*/\1/p' \
		"${NETCONFPATH:-/etc/cni/net.d}"/*.conf* 2>/dev/null
}

_hawser_commands() { # COMMAND...: those below it
	"$@" --help 2>/dev/null | sed -n '/^Commands/,$s/^  \([a-z]*\)  .*/\1/p'
}

_hawser_options() { # COMMAND...
	"$@" --help 2>/dev/null | grep -oE -- '--[a-z-]+'
}

_hawser() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=("${COMP_WORDS[0]}") words i
	# neither options nor what belongs to one
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "${COMP_WORDS[i - 1]} ${COMP_WORDS[i]}" in
		*" -"* | -[^aj-]" "* | --[^aj]*" "*) ;;
		*) command+=("${COMP_WORDS[i]}") ;;
		esac
	done
	case "${command[*]:1}:$before:$word" in
	run*:-n:* | run*:--net:* | hook:-n:* | hook:--net:*) words=$(_hawser_networks) ;;
	ipam\ *:*:-* | netns\ *:*:-*) words=$(_hawser_options "${command[@]:0:3}") ;;
	?*:*:-*) words=$(_hawser_options "${command[@]:0:2}") ;;
	:*:-*) words=$(_hawser_options "${command[0]}") ;;
	add:*:* | del:*:* | check:*:* | gc:*:* | status:*:* | ipam\ show:*:* | ipam\ free:*:*)
		words=$(_hawser_networks) ;;
	add\ *:*:* | del\ *:*:* | check\ *:*:* | netns\ del:*:* | netns\ exec:*:*)
		words=$("${command[0]}" netns list 2>/dev/null) ;;
	:*:* | ipam:*:* | netns:*:*) words=$(_hawser_commands "${command[@]}") ;;
	*) COMPREPLY=() && return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _hawser hawser
