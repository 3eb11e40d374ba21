"""One LiteRT interpreter a model: sidecar, quantising with clipping, running, dequantising."""
