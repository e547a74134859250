"""ONNX Runtime's runner: one graph, one thread count.

    run_onnx.py WINDOWS MODEL --threads N [--share batches] [--without-amx]
"""

import argparse
import platform

from serving import serve


def refuse_amx():
    """Makes this process one on which the kernel grants no AMX tiles, as on a machine without them."""
    import ctypes
    import struct

    # include/uapi/linux: prctl.h, seccomp.h, bpf_common.h; arch/x86/include/uapi/asm/prctl.h
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    load_word, jump_if_equal, answer = 0x20, 0x15, 0x06
    arch_prctl, request_tiles = 158, 0x1023
    allow, refuse = 0x7FFF0000, 0x00050000 | 1
    number_at, first_argument_at = 0, 16
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in (
        (load_word, 0, 0, number_at), (jump_if_equal, 0, 3, arch_prctl),
        (load_word, 0, 0, first_argument_at), (jump_if_equal, 0, 1, request_tiles),
        (answer, 0, 0, refuse), (answer, 0, 0, allow)))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

    library = ctypes.CDLL(None, use_errno=True)
    filtered = Program(len(program) // 8, program)
    if platform.machine() != "x86_64" or library.prctl(no_new_privileges, 1, 0, 0, 0) or \
            library.prctl(set_seccomp, filter_mode, ctypes.byref(filtered)):
        raise SystemExit("cannot forbid AMX here")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("windows")
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--share", choices=("operators", "batches"), default="operators",
                        help="what the threads share: the work of each operator, or the batches")
    parser.add_argument("--without-amx", action="store_true")
    options = parser.parse_args()
    if options.without_amx:
        refuse_amx()

    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.inter_op_num_threads = 1
    settings.intra_op_num_threads = options.threads if options.share == "operators" else 1
    session = onnxruntime.InferenceSession(options.model, settings, providers=["CPUExecutionProvider"])
    masked = any(node.name == "attention_mask" for node in session.get_inputs())

    def prepare(batch):
        inputs = {"input_ids": batch.ids, "token_type_ids": batch.kinds}
        return inputs | {"attention_mask": batch.mask} if masked else inputs

    serve(f"ONNX Runtime {onnxruntime.__version__}", options.windows, lambda inputs: session.run(None, inputs)[0],
          prepare, padding=masked, workers=options.threads if options.share == "batches" else 1)


if __name__ == "__main__":
    main()
