"""Make a converted network accept any frame size.

The converter writes the target size of every nearest-neighbour doubling as a constant, which ties the file to one frame
size. Four copies along the channels followed by DEPTH_TO_SPACE give the same numbers and name no size.
"""

import copy

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def free_frame_size(model_bytes: bytes) -> bytes:
    """Replace each RESIZE_NEAREST_NEIGHBOR that doubles its input; return the new file's bytes."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model_bytes, 0))
    resize = schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR
    for graph in model.subgraphs:
        operators = []
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex].builtinCode
            if code != resize:
                operators.append(operator)
                continue
            source = operator.inputs[0]
            stacked = copy.deepcopy(graph.tensors[source])
            stacked.name = graph.tensors[source].name + b"/four"
            stacked.shape = [*stacked.shape[:3], stacked.shape[3] * 4]
            graph.tensors.append(stacked)
            operators.append(_concatenate(model, source, len(graph.tensors) - 1))
            operators.append(_depth_to_space(model, len(graph.tensors) - 1, operator.outputs[0]))
        graph.operators = operators
    builder = flatbuffers.Builder(len(model_bytes))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _code(model: schema.ModelT, builtin: int) -> int:
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == builtin:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, 2
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _concatenate(model: schema.ModelT, source: int, target: int) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.opcodeIndex = _code(model, schema.BuiltinOperator.CONCATENATION)
    operator.inputs, operator.outputs = [source] * 4, [target]
    operator.builtinOptionsType = schema.BuiltinOptions.ConcatenationOptions
    operator.builtinOptions = schema.ConcatenationOptionsT()
    operator.builtinOptions.axis = 3
    return operator


def _depth_to_space(model: schema.ModelT, source: int, target: int) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.opcodeIndex = _code(model, schema.BuiltinOperator.DEPTH_TO_SPACE)
    operator.inputs, operator.outputs = [source], [target]
    operator.builtinOptionsType = schema.BuiltinOptions.DepthToSpaceOptions
    operator.builtinOptions = schema.DepthToSpaceOptionsT()
    operator.builtinOptions.blockSize = 2
    return operator
