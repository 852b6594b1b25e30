# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Lines of a page, typed in as they stand: PAGE is the page.

# page HEADING N: the Nth block of lines under that heading.
page() {
	awk -v heading="$1" -v n="$2" '
		/^```/ && inside { inside = 0; next }
		inside { if (here && block == n) { print; found = 1 }; next }
		/^```sh$/ { inside = 1; block++; next }
		/^#+ / { sub(/^#+ /, ""); here = $0 == heading; block = 0 }
		END { exit !found }' "$PAGE"
}

# follow HEADING N [OPTION]: type these lines in, in a shell of one's own.
follow() {
	page "$1" "$2" >"$BATS_TEST_TMPDIR/lines"
	timeout -k 1 40 bash ${3:+"$3"} "$BATS_TEST_TMPDIR/lines" 3>&-
}
