import type { Content, OpenApi, OpenApiResponse, Operation, Parameter } from '../api/openapi.ts';
import { escapeHtml } from './escape-html.ts';
import { formatSchema } from './format-schema.ts';
import { pagePolicy } from './guard-answers.ts';

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:0 auto;padding:1rem}
h2{margin:2rem 0 .5rem}
details{border-top:1px solid color-mix(in srgb,currentColor 25%,transparent);padding:.5rem 0}
summary{cursor:pointer}
summary code{font-weight:600}
pre{overflow:auto;padding:.75rem;background:color-mix(in srgb,currentColor 8%,transparent)}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}
small{opacity:.8}`;

/** What the page may load: its own style, and nothing else from anywhere. */
export const PAGE_POLICY = pagePolicy(STYLE);

/** An OpenAPI document as one page of HTML, without a script. */
export function formatApiPage(api: OpenApi): string {
  const { info, tags, paths, components } = api;
  const all = Object.entries(paths).flatMap(([path, ofPath]) =>
    Object.entries(ofPath).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = tags.map(({ name }) => {
    const own = all.filter(({ operation }) => operation.tags.includes(name));
    return `<h2 id="${name}">${name}</h2>\n${own.map(formatOperation).join('\n')}`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary><pre>${formatSchema(schema)}</pre></details>`,
  );
  const links = [...tags.map(({ name }) => name), 'schemas'].map(
    (name) => `<a href="#${name}">${name}</a>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(info.title)} API</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>
<p>${escapeHtml(info.summary)} For programs: <a href="/openapi.json">openapi.json</a>.</p>
<nav>${links.join(' · ')}</nav>
<main>
${groups.join('\n')}
<h2 id="schemas">schemas</h2>
${schemas.join('\n')}
</main>
</body>
</html>
`;
}

type Located = { readonly path: string; readonly method: string; readonly operation: Operation };

function formatOperation({ path, method, operation }: Located): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const parts = [
    `<p>${escapeHtml(description ?? '')} <small>${describeCaller(operation)}</small></p>`,
    parameters ? formatParameters(parameters) : '',
    requestBody ? `<h3>Body</h3>${formatContent(requestBody.content)}` : '',
    '<h3>Answers</h3>',
    ...Object.entries(responses).map(formatAnswer),
  ];
  const head = `<code>${method.toUpperCase()} ${escapeHtml(path)}</code> ${escapeHtml(summary)}`;
  return `<details id="${operationId}"><summary>${head}</summary>${parts.join('\n')}</details>`;
}

function describeCaller({ security: [first] }: Operation): string {
  if (!first) return 'Open to everybody.';
  const [scope] = first['token'] ?? [];
  return scope === undefined
    ? 'Signed by the sender.'
    : `Needs ${escapeHtml(scope)}: Authorization: Bearer TOKEN.`;
}

function formatParameters(parameters: readonly Parameter[]): string {
  const rows = parameters.map(({ name, in: place, required, description = '', schema }) => {
    const cells = [name, `${place}${required ? ', required' : ''}`].map(
      (text) => `<td>${escapeHtml(text)}</td>`,
    );
    return `<tr>${cells.join('')}<td><code>${formatSchema(schema)}</code></td><td>${escapeHtml(description)}</td></tr>`;
  });
  return `<h3>Parameters</h3><table><tr><th>name</th><th>where</th><th>type</th><th></th></tr>${rows.join('')}</table>`;
}

function formatAnswer([status, { description, content }]: [string, OpenApiResponse]): string {
  const text = `<p><b>${escapeHtml(status)}</b> ${escapeHtml(description)}</p>`;
  return content ? `${text}${formatContent(content)}` : text;
}

function formatContent(content: Content): string {
  return Object.entries(content)
    .map(
      ([type, { schema }]) =>
        `<small>${escapeHtml(type)}</small><pre>${formatSchema(schema)}</pre>`,
    )
    .join('');
}
