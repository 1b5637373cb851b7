// The front door: `npm start`, `npm test`, `npm run dev`, `npm run check`. Runs with nothing installed.
// This file keeps to syntax and imports that an old Node can read, so that an old Node gets a sentence and no stack trace.
var version = process.versions.node.split('.');
var major = Number(version[0]);
var minor = Number(version[1]);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error('Agent Relay needs Node.js 20.19 or newer; this is ' + process.versions.node + ' (' + process.execPath + ').');
  process.exitCode = 1;
} else {
  var given = process.argv.slice(3);
  import('./lib/commands.mjs')
    .then(function (commands) {
      return commands.main(process.argv[2], given[0] === '--' ? given.slice(1) : given);
    })
    .then(function (exitCode) {
      process.exitCode = exitCode;
    })
    .catch(function (error) {
      console.error(error);
      process.exitCode = 1;
    });
}
