// What a coordinator's page does by itself: steppers, copying, printing, and the ring kept fresh.
// Everything here is a convenience; each page works without it.
(() => {
  'use strict';

  for (const stepper of document.querySelectorAll('.stepper-control')) {
    const input = stepper.querySelector('input');
    const step = (by, text) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'step';
      button.textContent = text;
      button.setAttribute('aria-label', `${input.dataset[by < 0 ? 'less' : 'more']}`);
      button.addEventListener('click', () => {
        const number = (parseInt(input.value, 10) || 0) + by;
        input.value = Math.min(Math.max(number, 0), Number(input.max));
        input.dispatchEvent(new Event('input', { bubbles: true }));
      });
      return button;
    };
    stepper.prepend(step(-1, '−'));
    stepper.append(step(1, '+'));
  }

  for (const part of document.querySelectorAll('[data-shown-with]')) {
    const input = document.querySelector(part.dataset.shownWith);
    const follow = () => { part.hidden = !(parseInt(input.value, 10) > 0); };
    input.addEventListener('input', follow);
    follow();
  }

  for (const button of document.querySelectorAll('[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      const field = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        field.select();
        document.execCommand('copy');
      }
      button.textContent = button.dataset.done;
    });
  }

  for (const button of document.querySelectorAll('[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }

  const live = document.querySelector('[data-live]');
  if (live) {
    const refresh = async () => {
      if (document.hidden) return;
      try {
        const reply = await fetch(live.dataset.live, { headers: { Accept: 'text/html' }, redirect: 'error' });
        if (!reply.ok) return;
        const page = new DOMParser().parseFromString(await reply.text(), 'text/html');
        const fresh = page.querySelector('.so-far');
        if (fresh && fresh.dataset.state !== live.querySelector('.so-far').dataset.state) location.reload();
        else if (fresh && !fresh.isEqualNode(live.querySelector('.so-far'))) live.replaceChildren(fresh);
      } catch { /* the next round may reach it */ }
    };
    setInterval(refresh, Number(live.dataset.every) || 4000);
    document.addEventListener('visibilitychange', refresh);
  }
})();
