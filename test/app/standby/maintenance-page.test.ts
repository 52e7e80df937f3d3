import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maintenancePage } from '../../../app/standby/maintenance-page.ts';

test('what a record says cannot become a part of the page', () => {
  const page = maintenancePage({ state: 'trial', from: '<b>1&2"', to: '</p><script>x</script>' });
  assert.ok(page.includes('&lt;b&gt;1&amp;2&quot;'));
  assert.ok(!page.includes('<script'));
});
