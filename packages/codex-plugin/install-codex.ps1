# Installs agent-relay-codex and adds its plugin to Codex:
#   irm https://unpkg.com/agent-relay-codex@latest/install-codex.ps1 | iex
# Options go through a block: & ([scriptblock]::Create((irm https://unpkg.com/agent-relay-codex@latest/install-codex.ps1))) --alias
# For Windows PowerShell 5.1 and PowerShell 7. In a block of its own: what is set here does not stay in the shell that ran it.
& {
  $ErrorActionPreference = 'Stop'
  # What a program's exit code means is said below.
  $PSNativeCommandUseErrorActionPreference = $false

  # The program, and not npm's script of that name beside it: Windows runs no scripts before its owner allows them.
  function Find-Program([string] $name, [string] $hint) {
    $found = Get-Command $name -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $found) { throw "install-codex: $hint" }
    $found.Path
  }

  $node = Find-Program 'node' 'Node.js 20.19 or newer is needed: https://nodejs.org'
  $version = (& $node --version) -replace '^v|-.*$'
  if ($LASTEXITCODE -ne 0) { throw 'install-codex: Node.js 20.19 or newer is needed, and this one does not run' }
  if ([version] $version -lt [version] '20.19.0') { throw "install-codex: Node.js 20.19 or newer is needed, this is $version" }
  $npm = Find-Program 'npm' 'npm is needed; it comes with Node.js'
  $null = Find-Program 'codex' 'Codex is needed: npm install -g @openai/codex'

  $wanted = if ($env:AGENT_RELAY_CODEX_VERSION) { $env:AGENT_RELAY_CODEX_VERSION } else { 'latest' }
  & $npm install --global "agent-relay-codex@$wanted"
  if ($LASTEXITCODE -ne 0) { throw 'install-codex: npm could not install agent-relay-codex' }
  $program = Find-Program 'agent-relay-codex' "npm's programs are not on your PATH: open a new shell, and run agent-relay-codex install"
  & $program install @args
  if ($LASTEXITCODE -ne 0) { throw 'install-codex: agent-relay-codex install failed' }
} @args
