"""ONNX Runtime and OpenVINO for Millhand."""
