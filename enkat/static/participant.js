// One question at a time, and patience on a bad network. The page does all of this without the script too.
// Old phones read this: no syntax later than 2009.
(function () {
  'use strict';
  function start() {
    var form = document.querySelector('form[data-steps]');
    if (!form) return;
    var items = Array.prototype.slice.call(form.querySelectorAll('.item'));
    var send = form.querySelector('button[type=submit]');
    var last = form.querySelector('.send');
    var status = form.querySelector('.status');
    var steps = !document.querySelector('.faults') && items.length > 1;
    var at = 0, wait = 3000, waiting = null, busy = false;
    var bar, fill, back, next;

    function show(step, isMove) {
      at = step;
      items.forEach(function (item, number) { item.hidden = number !== at; });
      document.querySelector('.intro').hidden = at > 0;
      back.hidden = at === 0;
      next.hidden = at === items.length - 1;
      last.hidden = at !== items.length - 1;
      fill.style.width = 100 * (at + 1) / items.length + '%';
      if (!isMove) return;
      window.scrollTo(0, 0);
      var title = items[at].querySelector('legend, label');
      title.tabIndex = -1;
      title.focus();
    }

    function button(text, isQuiet, move) {
      var made = document.createElement('button');
      made.type = 'button';
      made.className = isQuiet ? 'button quiet' : 'button';
      made.textContent = text;
      made.addEventListener('click', function () { show(at + move, true); });
      return made;
    }

    function byStep() {
      bar = document.createElement('div');
      bar.className = 'progress';
      bar.appendChild(fill = document.createElement('span'));
      form.insertBefore(bar, items[0]);
      var row = document.createElement('div');
      row.className = 'send steps';
      row.appendChild(back = button(form.getAttribute('data-back'), true, -1));
      row.appendChild(next = button(form.getAttribute('data-next'), false, 1));
      form.insertBefore(row, last);
      show(0, false);
    }

    function replace(html) {
      var page = new DOMParser().parseFromString(html, 'text/html');
      if (!page.querySelector('main')) throw new Error('not our page');
      document.title = page.title;
      document.documentElement.replaceChild(document.adoptNode(page.body), document.body);
      window.scrollTo(0, 0);
      start();
      var title = document.querySelector('.faults') || document.querySelector('h1');
      title.tabIndex = -1;
      title.focus();
    }

    function again() {
      if (waiting) window.clearTimeout(waiting);
      waiting = null;
      post();
    }

    function post() {
      if (busy) return;
      busy = true;
      send.disabled = true;
      status.textContent = form.getAttribute('data-sending');
      window.fetch(form.action, {
        method: 'POST', credentials: 'omit', body: new URLSearchParams(new FormData(form))
      }).then(function (reply) { return reply.text(); }).then(function (html) {
        window.removeEventListener('online', again);
        replace(html);
      }).catch(function () {
        busy = send.disabled = false;
        status.textContent = form.getAttribute('data-waiting');
        waiting = window.setTimeout(again, wait);
        wait = Math.min(wait * 2, 30000);
      });
    }

    form.addEventListener('submit', function (event) {
      if (steps && at < items.length - 1) {
        event.preventDefault();
        show(at + 1, true);
        return;
      }
      try { new URLSearchParams(new FormData(form)); } catch (old) { return; }
      if (!window.fetch || !window.DOMParser) return;
      event.preventDefault();
      window.addEventListener('online', again);
      post();
    });
    Array.prototype.forEach.call(form.querySelectorAll('textarea'), function (text) {
      var named = text.parentNode.querySelector('.named');
      text.addEventListener('input', function () {
        // Two capitalised words in a row, a number or an address: a gentle word, and nothing is held up.
        var points = /[A-Z\xc0-\xde][a-z\xdf-\xff]+ [A-Z\xc0-\xde][a-z\xdf-\xff]+|[+\d][\d -]{6,}\d|\S@\S/.test(text.value);
        named.textContent = points ? named.getAttribute('data-named') : '';
      });
    });
    if (steps) byStep();
  }
  start();
})();
