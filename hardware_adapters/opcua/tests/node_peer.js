// A node-opcua server as a peer: an OPC UA stack that shares no code with asyncua.
// node node_peer.js FOLDER PORT [--reordered] [--new-certificate]; FOLDER holds its certificates.
// Speaks the lines of millhand.testing.PeerProcess.
"use strict";
const fs = require("fs");
const net = require("net");
const path = require("path");
const readline = require("readline");
const { OPCUAServer } = require("node-opcua-server");
const { Variant, DataType, VariantArrayType } = require("node-opcua-variant");
const { DataValue } = require("node-opcua-data-value");
const { StatusCodes } = require("node-opcua-status-code");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");

const QUALITY = {
  good: StatusCodes.Good,
  uncertain: StatusCodes.UncertainLastUsableValue,
  bad: StatusCodes.BadSensorFailure,
};
// 64-bit integers are pairs of 32 bits in node-opcua.
const wide = (type) => type === "Int64" || type === "UInt64";

async function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function main() {
  const port = Number(process.argv[3]) || (await freePort());
  const folder = process.argv[2];
  const reordered = process.argv.includes("--reordered");
  if (process.argv.includes("--new-certificate")) {
    fs.rmSync(path.join(folder, "server"), { recursive: true, force: true });
  }
  const manager = (name) =>
    new OPCUACertificateManager({
      rootFolder: path.join(folder, name),
      automaticallyAcceptUnknownCertificate: true,
    });
  const server = new OPCUAServer({
    port,
    hostname: "127.0.0.1",
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
    serverCertificateManager: manager("server"),
    userCertificateManager: manager("user"),
    userManager: { isValidUser: (user, password) => user === "operator" && password === "s3cret" },
  });
  await server.initialize();
  const addressSpace = server.engine.addressSpace;
  if (reordered) {
    addressSpace.registerNamespace("urn:other:a");
    addressSpace.registerNamespace("urn:other:b");
  }
  const namespace = addressSpace.registerNamespace("urn:millhand:test");
  const cell = namespace.addObject({ organizedBy: addressSpace.rootFolder.objects, browseName: "Cell" });
  const tags = {};
  let written = [];

  const add = (name, dataType, value, { array = false, writable = true } = {}) => {
    const tag = { dataType, array, value, quality: "good" };
    tags[name] = tag;
    const variant = () =>
      new Variant({
        dataType: DataType[dataType],
        arrayType: array ? VariantArrayType.Array : VariantArrayType.Scalar,
        value: array ? Array.from(tag.value) : tag.value,
      });
    const access = writable ? "CurrentRead | CurrentWrite" : "CurrentRead";
    namespace.addVariable({
      componentOf: cell,
      browseName: name,
      nodeId: `s=${name}`,
      dataType,
      valueRank: array ? 1 : -1,
      arrayDimensions: array ? [value.length] : null,
      accessLevel: access,
      userAccessLevel: access,
      minimumSamplingInterval: 10,
      value: {
        timestamped_get: () =>
          new DataValue({
            value: variant(),
            statusCode: QUALITY[tag.quality],
            sourceTimestamp: new Date(),
          }),
        timestamped_set: async (dataValue) => {
          tag.value = dataValue.value.value;
          tag.quality = "good";
          written.push([name, plain(tag)]);
          return StatusCodes.Good;
        },
      },
    });
  };

  const plain = (tag) => {
    if (tag.array) return Array.from(tag.value);
    if (!wide(tag.dataType)) return tag.value;
    const [high, low] = tag.value;
    const whole = (BigInt(high) << 32n) | BigInt(low >>> 0);
    return { big: String(tag.dataType === "Int64" ? BigInt.asIntN(64, whole) : BigInt.asUintN(64, whole)) };
  };
  const native = (tag, value) => {
    if (value !== null && typeof value === "object" && "float" in value) {
      return { nan: NaN, inf: Infinity, "-inf": -Infinity }[value.float];
    }
    if (value !== null && typeof value === "object" && "big" in value) {
      const whole = BigInt.asUintN(64, BigInt(value.big));
      return [Number(whole >> 32n), Number(whole & 0xffffffffn)];
    }
    return value;
  };

  add("Scalar.boolean", "Boolean", true);
  add("Scalar.sbyte", "SByte", -5);
  add("Scalar.byte", "Byte", 5);
  add("Scalar.int16", "Int16", -300);
  add("Scalar.uint16", "UInt16", 300);
  add("Scalar.int32", "Int32", -70000);
  add("Scalar.uint32", "UInt32", 70000);
  add("Scalar.int64", "Int64", [0, 1]);
  add("Scalar.uint64", "UInt64", [0, 1]);
  add("Scalar.float", "Float", 1.5);
  add("Scalar.double", "Double", 2.25);
  add("Scalar.string", "String", "impeller");
  add("Counter", "Int32", 0);
  add("Ring", "Int32", new Int32Array(16), { array: true });
  add("ReadOnly", "Int32", 1, { writable: false });
  add("Width", "Double", 2.25);
  add("PartId", "String", "p-1");
  let ticks = 0;
  namespace.addVariable({
    componentOf: cell,
    browseName: "Tick",
    nodeId: "s=Tick",
    accessLevel: "CurrentRead",
    userAccessLevel: "CurrentRead",
    dataType: "Int32",
    value: { get: () => new Variant({ dataType: DataType.Int32, value: (ticks += 1) }) },
  });

  await server.start();
  console.log(JSON.stringify({ ready: port }));
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("close", () => process.exit(0));
  lines.on("line", (line) => {
    const question = JSON.parse(line);
    let answer = true;
    if (question.do === "written") answer = written;
    else if (question.do === "forget") written = [];
    else {
      const tag = tags[question.tag];
      tag.value = native(tag, question.value);
      tag.quality = question.quality;
    }
    console.log(JSON.stringify([answer]));
  });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
