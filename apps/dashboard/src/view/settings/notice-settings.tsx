import { useState } from 'react';
import { keepNoticeChoice, type NoticeChoice, readNoticeChoice } from '../notices/notice-choice.ts';
import { sound } from '../notices/sound.ts';
import { PushSettings } from './push-settings.tsx';

/** Whether this browser calls a person who looks elsewhere. */
export function NoticeSettings() {
  const [choice, setChoice] = useState(readNoticeChoice);
  const [isBlocked, setBlocked] = useState(() => 'Notification' in window && Notification.permission === 'denied');
  const choose = (next: NoticeChoice) => {
    keepNoticeChoice(next);
    setChoice(next);
  };
  const show = async (isShown: boolean) => {
    choose({ ...choice, isShown });
    const permission = isShown ? await Notification.requestPermission() : 'default';
    setBlocked(permission === 'denied');
    choose({ ...choice, isShown: isShown && permission === 'granted' });
  };
  const hear = (isHeard: boolean) => {
    choose({ ...choice, isHeard });
    if (isHeard) void sound().catch(() => {});
  };
  return (
    <div className="grid gap-2">
      <p className="text-soft">While you look elsewhere: what agents ask, that one has stalled, and what is written to you.</p>
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          checked={choice.isShown}
          disabled={!('Notification' in window)}
          onChange={({ target }) => void show(target.checked)}
        />
        Show a notification
      </label>
      {isBlocked ? (
        <p className="text-warn text-xs">
          This browser does not let the page show any: allow it in the browser’s settings for this address.
        </p>
      ) : null}
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={choice.isHeard} onChange={({ target }) => hear(target.checked)} />
        Make a sound
      </label>
      <PushSettings />
    </div>
  );
}
