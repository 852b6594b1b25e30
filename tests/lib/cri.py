#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask a container runtime, as a kubelet does: cri.py --socket FILE METHOD JSON [METHOD JSON...]

Each answer is printed as a line of JSON. Ends with the message of the first call that
fails. Waits for a runtime that is just starting.
"""
import argparse
import json
import re
import sys
import time

import grpc
from google.protobuf import descriptor_pb2, json_format, message_factory

# What is used of the CRI, version 1. A field that is not here is skipped when it comes.
# Of the enums: protocol 1 is UDP; network 2 is the node's; state 1 is not ready.
MESSAGES = """
message PodSandboxMetadata { string name = 1; string uid = 2; string namespace = 3; }
message PortMapping { int32 protocol = 1; int32 container_port = 2; int32 host_port = 3; string host_ip = 4; }
message NamespaceOption { int32 network = 1; }
message LinuxSandboxSecurityContext { NamespaceOption namespace_options = 1; }
message LinuxPodSandboxConfig { string cgroup_parent = 1; LinuxSandboxSecurityContext security_context = 2; }
message PodSandboxConfig { PodSandboxMetadata metadata = 1; string hostname = 2;
	repeated PortMapping port_mappings = 5; map<string, string> annotations = 7; LinuxPodSandboxConfig linux = 8; }
message RunPodSandboxRequest { PodSandboxConfig config = 1; }
message RunPodSandboxResponse { string pod_sandbox_id = 1; }
message StopPodSandboxRequest { string pod_sandbox_id = 1; }
message StopPodSandboxResponse { }
message RemovePodSandboxRequest { string pod_sandbox_id = 1; }
message RemovePodSandboxResponse { }
message PodIP { string ip = 1; }
message PodSandboxNetworkStatus { string ip = 1; repeated PodIP additional_ips = 2; }
message PodSandboxStatus { string id = 1; int32 state = 3; PodSandboxNetworkStatus network = 5; }
message PodSandboxStatusRequest { string pod_sandbox_id = 1; bool verbose = 2; }
message PodSandboxStatusResponse { PodSandboxStatus status = 1; map<string, string> info = 2; }
message PodSandbox { string id = 1; PodSandboxMetadata metadata = 2; int32 state = 3; }
message ListPodSandboxRequest { }
message ListPodSandboxResponse { repeated PodSandbox items = 1; }
message RuntimeCondition { string type = 1; bool status = 2; string reason = 3; string message = 4; }
message RuntimeStatus { repeated RuntimeCondition conditions = 1; }
message StatusRequest { bool verbose = 1; }
message StatusResponse { RuntimeStatus status = 1; map<string, string> info = 2; }
message Image { string id = 1; repeated string repo_tags = 2; }
message ListImagesRequest { }
message ListImagesResponse { repeated Image images = 1; }
"""
PACKAGE = "runtime.v1"
Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {"string": Field.TYPE_STRING, "bool": Field.TYPE_BOOL, "int32": Field.TYPE_INT32}


def describe_map(message, name):
    """Of strings to strings: repeated entries of a key and a value."""
    entry = message.nested_type.add(name=name.title().replace("_", "") + "Entry")
    entry.options.map_entry = True
    for number, part in enumerate(("key", "value"), start=1):
        entry.field.add(name=part, number=number, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    return f"{message.name}.{entry.name}"


def describe_field(message, repeated, kind, name, number):
    field = message.field.add(name=name, number=int(number), label=Field.LABEL_OPTIONAL)
    if repeated or kind.startswith("map"):
        field.label = Field.LABEL_REPEATED
    if kind in SCALARS:
        field.type = SCALARS[kind]
        return
    field.type = Field.TYPE_MESSAGE
    field.type_name = f".{PACKAGE}." + (describe_map(message, name) if kind.startswith("map") else kind)


def message_classes():
    """A class for each of MESSAGES, by its name."""
    file = descriptor_pb2.FileDescriptorProto(name="cri.proto", package=PACKAGE, syntax="proto3")
    for name, body in re.findall(r"message (\w+) \{(.*?)\}", MESSAGES, re.DOTALL):
        message = file.message_type.add(name=name)
        for field in re.findall(r"(repeated )?(map<string, string>|\w+) (\w+) = (\d+);", body):
            describe_field(message, *field)
    return message_factory.GetMessages([file])


OPTIONS = [("grpc.default_authority", "localhost"), ("grpc.initial_reconnect_backoff_ms", 100),
           ("grpc.min_reconnect_backoff_ms", 100)]
PATIENCE = 20  # seconds for a runtime to start


def begin(channel, classes, method, request):
    """Make a call, and say when."""
    message = json_format.Parse(request, classes[f"{PACKAGE}.{method}Request"]())
    service = "ImageService" if "Image" in method else "RuntimeService"
    call = channel.unary_unary(f"/{PACKAGE}.{service}/{method}", type(message).SerializeToString,
                               classes[f"{PACKAGE}.{method}Response"].FromString)
    return method, time.monotonic_ns(), call.future(message, timeout=60)


def finish(method, start, future, timed):
    try:
        answer = future.result()
    except grpc.RpcError as e:
        sys.exit(f"{method}: {e.details()}")
    if timed:
        print((time.monotonic_ns() - start) // 1000, end=" ")
    print(json.dumps(json_format.MessageToDict(answer, preserving_proto_field_name=True)))


def await_runtime(channel, classes, socket):
    """One that has just opened its socket refuses for a moment what it is asked."""
    end = time.monotonic() + PATIENCE
    try:
        grpc.channel_ready_future(channel).result(timeout=PATIENCE)
    except grpc.FutureTimeoutError:
        sys.exit(f"{socket}: nobody answers")
    while begin(channel, classes, "ListPodSandbox", "{}")[2].code() != grpc.StatusCode.OK:
        if time.monotonic() > end:
            sys.exit(f"{socket}: not ready in {PATIENCE} seconds")
        time.sleep(0.02)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-once", action="store_true", help="make all the calls before an answer is awaited")
    parser.add_argument("--time", action="store_true", help="print how many microseconds each took, before it")
    parser.add_argument("--socket", required=True, help="the runtime's")
    parser.add_argument("calls", nargs="*")
    args = parser.parse_args()
    classes = message_classes()
    with grpc.insecure_channel(f"unix:{args.socket}", OPTIONS) as channel:
        await_runtime(channel, classes, args.socket)
        begun = (begin(channel, classes, *call) for call in zip(args.calls[::2], args.calls[1::2]))
        for one in list(begun) if args.at_once else begun:
            finish(*one, args.time)


if __name__ == "__main__":
    main()
