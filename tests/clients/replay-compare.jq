# SPDX-License-Identifier: GPL-2.0-or-later
#
# jq -nr --rawfile answers ANSWERS --slurpfile differences FILE -f replay-compare.jq
# CAPTURE...: TAP, a test for each session of the captures, and one for each
# explanation: [{"plugin": [...], "command": [...], "at": REGEX, "theirs": REGEX,
# "ours": REGEX, "why": TEXT}...]. What a call answers is {exit, stdout, stderr},
# and a difference one of its values, at its path, or "answer" when only one of
# the two has succeeded; what is not there is "nothing". The expressions are for
# the whole of it, in JSON.

def answer($exit; $stdout; $stderr):
	{exit: $exit, stdout: $stdout, stderr: $stderr};

# An answer as its values by their paths; a list of words is one. An empty object
# says what none says.
def values_of($path):
	if type == "object" then to_entries[] | .key as $key | .value | values_of($path + [$key])
	elif type == "array" and any(.[]; type == "object")
	then to_entries[] | "\(.key)" as $key | .value | values_of($path + [$key])
	else {key: ($path | join(".")), value: .} end;

def values_of: [values_of([])] | from_entries;

def difference($at; $theirs; $ours):
	{at: $at} + ({theirs: $theirs, ours: $ours} |
		map_values(if . == null then "nothing" else tojson end));

def differ($theirs; $ours):
	($theirs | values_of) as $t | ($ours | values_of) as $o |
	if $theirs.exit != $ours.exit then difference("answer"; $theirs; $ours)
	else $t + $o | keys_unsorted[] | select($t[.] != $o[.]) |
		difference(.; $t[.]; $o[.]) end;

def matches($regex): test("^(" + ($regex // ".*") + ")$");

def explained($call; $rule):
	(($rule.plugin // [$call.plugin]) | index($call.plugin) != null) and
	(($rule.command // [$call.command]) | index($call.command) != null) and
	(.at | matches($rule.at)) and (.theirs | matches($rule.theirs)) and
	(.ours | matches($rule.ours));

($differences | add // []) as $rules |
[$answers | splits("\n") | select(. != "") | split("\u001f") |
 {key: .[0], value: answer(.[1] | tonumber; .[2] | fromjson? // .; .[3])}] |
from_entries as $answers |

[inputs | . as $call |
 (input_filename | split("/")[-1] | rtrimstr(".jsonl")) as $capture |
 $answers["\($capture):\(input_line_number)"] as $ours |
 {session: "\($capture) \(.scenario)",
  call: "\($capture):\(input_line_number) \(.plugin) \(.command)",
  differences: [
	(if $ours then differ(answer(.exit; .stdout; .stderr); $ours)
	 else difference("answer"; answer(.exit; .stdout; .stderr); null) end) |
	. + {why: [. as $it | $rules | to_entries[] | . as {$key, $value} |
		select($it | explained($call; $value)) | $key]}]}] as $calls |

[($calls | group_by(.session)[] |
  [.[] | .call as $call | .differences[] | select(.why == []) |
   "# \($call): \(.at): theirs \(.theirs), ours \(.ours)"] as $wrong |
  {good: ($wrong == []), $wrong,
   name: "\(.[0].session): \(length) calls, \(map(.differences | length) | add) differences"}),
 ([$calls[].differences[].why[]] as $needed |
  $rules | to_entries[] | .key as $i |
  ([$needed[] | select(. == $i)] | length) as $n |
  {good: ($n > 0), wrong: [], name: "\($n) explained: \(.value.why)"})] |
(to_entries[] | "\(if .value.good then "ok" else "not ok" end) \(.key + 1) \(.value.name)",
	.value.wrong[:20][]),
"1..\(length)"
