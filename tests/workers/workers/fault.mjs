// Lets the engine trap: with `fault.trap`, its next call gets a pointer to where no memory is. With
// `fault.portable` the next question to lychgate/portable does.
export const fault = { trap: false, portable: false, instances: 0 };

const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const { exports } = new Instance(module, imports);
  fault.instances += 1;
  const begin = (pointer, ...rest) => {
    const place = fault.trap ? 0xffff_fff0 : pointer;
    fault.trap = false;
    return exports.gate_begin(place, ...rest);
  };
  const verify = (pointer, ...rest) => {
    const place = fault.portable ? 0xffff_fff0 : pointer;
    fault.portable = false;
    return exports.portable_verify(place, ...rest);
  };
  return { exports: { ...exports, gate_begin: begin, portable_verify: verify } };
};
