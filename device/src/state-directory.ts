/**
 * Where the agent keeps what it must not lose, when the configuration does not say: what systemd's StateDirectory= gives (of
 * several folders the first); for a configuration in `/etc/NAME` the folder `/var/lib/NAME`, which is the same one when a
 * person runs the command beside the service; else `state` beside the configuration.
 *
 * @param configFolder of the configuration file, absolute.
 */
export function stateDirectory(configFolder: string, environment: NodeJS.ProcessEnv): string {
  const given = environment.STATE_DIRECTORY?.split(':')[0];
  if (given) return given;
  const [, name] = /^\/etc\/([^/]+)$/.exec(configFolder) ?? [];
  return name === undefined ? 'state' : `/var/lib/${name}`;
}
