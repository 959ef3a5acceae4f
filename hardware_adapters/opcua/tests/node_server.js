// A node-opcua server with a few variables: an OPC UA stack that shares no code with asyncua.
// node node_server.js PORT FOLDER; prints "ready" when it listens. FOLDER holds its certificates.
"use strict";
const path = require("path");
const { OPCUAServer } = require("node-opcua-server");
const { Variant, DataType } = require("node-opcua-variant");
const { StatusCodes } = require("node-opcua-status-code");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");

async function main() {
  const [port, folder] = [Number(process.argv[2]), process.argv[3]];
  const manager = (name) =>
    new OPCUACertificateManager({
      rootFolder: path.join(folder, name),
      automaticallyAcceptUnknownCertificate: true,
    });
  const server = new OPCUAServer({
    port,
    hostname: "127.0.0.1",
    serverCertificateManager: manager("server"),
    userCertificateManager: manager("user"),
    userManager: { isValidUser: (user, password) => user === "operator" && password === "s3cret" },
  });
  await server.initialize();
  const addressSpace = server.engine.addressSpace;
  const namespace = addressSpace.registerNamespace("urn:millhand:test");
  const cell = namespace.addObject({ organizedBy: addressSpace.rootFolder.objects, browseName: "Cell" });
  const add = (name, dataType, value) => {
    let present = value;
    return namespace.addVariable({
      componentOf: cell,
      browseName: name,
      nodeId: `s=${name}`,
      dataType,
      minimumSamplingInterval: 10,
      value: {
        get: () => new Variant({ dataType: DataType[dataType], value: present }),
        set: (variant) => {
          present = variant.value;
          return StatusCodes.Good;
        },
      },
    });
  };
  add("Counter", "Int32", 0);
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
  console.log("ready");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
