/** Where systemd has what it says of a unit (org.freedesktop.systemd1(5)). */
export function unitPath(unit: string): string {
  return `/org/freedesktop/systemd1/unit/${escapeBusLabel(unit)}`;
}

/** sd_bus_path_encode(3): what is no letter or digit becomes _XX, and so does a leading digit. */
function escapeBusLabel(name: string): string {
  return name.replaceAll(/^[0-9]|[^A-Za-z0-9]/g, (character) => {
    return `_${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
